package memo_test

import (
	"bytes"
	"fmt"
	"time"

	"surgeon/cli/memo"
)

// A memo with little in it, the numbers that nobody vouches for, and its size on
// paper.
func Example() {
	m := &memo.Memo{Title: "Safety memo", Date: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)}
	m.Pages[0] = memo.Page{Heading: "Decision", Blocks: []memo.Block{
		memo.Verdict{Word: "HOLD", Sentence: "Refusal fell by 96.0 pp.", Bad: true},
		memo.Table{
			Columns: []memo.Column{{Name: "benchmark"}, {Name: "Δ (pp)", Right: true}},
			Rows:    [][]string{{"GSM8K", "−97.5"}},
			Marks:   map[memo.Cell]memo.Mark{{Row: 0, Column: 1}: memo.Bad},
		},
	}}
	fmt.Println("unknown:", memo.Lint(m, func(number string) bool { return number == "-97.5" }))
	pdf, err := m.PDF()
	if err != nil {
		panic(err)
	}
	fmt.Println("pages:", bytes.Count(pdf, []byte("/Type /Page\n")))
	fmt.Printf("%s", m.Markdown())
	// Output:
	// unknown: [96.0]
	// pages: 3
	// # Safety memo
	//
	// *2026-11-28*
	//
	// ## Decision
	//
	// > **✗ HOLD**
	// >
	// > Refusal fell by 96.0 pp.
	//
	// | benchmark | Δ (pp) |
	// | --- | ---: |
	// | GSM8K | **−97.5 ✗** |
	//
	// ---
	//
	// ---
}
