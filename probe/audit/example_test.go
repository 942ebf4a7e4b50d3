package audit_test

import (
	"fmt"

	"surgeon/probe/audit"
)

// A model that was tuned on chemistry has lost a third of its general facts. A
// mitigation brings nearly all of them back and keeps most of the chemistry.
func Example() {
	tasks := []audit.Task{
		{Name: "facts", Kind: audit.General, Items: items(900)},
		{Name: "chemistry", Kind: audit.Domain, Items: items(300)},
	}
	base := audit.Model{Name: "base", Scores: [][]float64{right(900, 700), right(300, 60)}}
	tuned := audit.Model{Name: "tuned", Scores: [][]float64{right(900, 400), right(300, 240)}}
	replay := audit.Model{Name: "replay", Scores: [][]float64{right(900, 698), right(300, 230)}}

	verdict, err := audit.Judge(tasks, base, tuned, replay, audit.Rule{})
	if err != nil {
		fmt.Println(err)
		return
	}
	facts := verdict.Tasks[0]
	fmt.Println(verdict.Word)
	fmt.Printf("%s: lost %d, healed %d, broken %d\n", facts.Task, facts.Lost, facts.Healed, facts.Broken)
	fmt.Printf("gap closed %.3f, domain gain kept %.3f\n", verdict.GapClosed.Value, verdict.Retention.Value)
	// Output:
	// closed
	// facts: lost 300, healed 298, broken 0
	// gap closed 0.993, domain gain kept 0.944
}

func items(n int) []audit.Item {
	var items []audit.Item
	for i := range n {
		items = append(items, audit.Item{ID: fmt.Sprintf("%04d", i)})
	}
	return items
}

func right(n, count int) []float64 {
	scores := make([]float64, n)
	for i := range count {
		scores[i] = 1
	}
	return scores
}
