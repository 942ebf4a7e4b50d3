package table

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
)

var (
	columns = []Column{{Name: "tensor"}, {Name: "drift", Right: true}, {Name: "note"}}
	rows    = [][]string{
		{"model.layers.0.self_attn.q_proj.weight", "0.0123", "a remark about it"},
		{"lm_head", "1", ""},
	}
)

// rendered returns the lines of a table, failing the test on an error.
func rendered(t *testing.T, columns []Column, rows [][]string, o Options) []string {
	t.Helper()
	var out bytes.Buffer
	if err := Render(&out, columns, rows, o); err != nil {
		t.Fatal(err)
	}
	printed := out.String()
	if !strings.HasSuffix(printed, "\n") || strings.HasSuffix(printed, "\n\n") {
		t.Errorf("the table ends in %q, want one line end", printed[max(0, len(printed)-3):])
	}
	return strings.Split(strings.TrimSuffix(printed, "\n"), "\n")
}

func TestRender(t *testing.T) {
	check := func(o Options, want ...string) {
		t.Helper()
		got := rendered(t, columns, rows, o)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%+v gives\n%s\nwant\n%s", o, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	check(Options{},
		"tensor                                 │  drift │ note",
		"───────────────────────────────────────┼────────┼──────────────────",
		"model.layers.0.self_attn.q_proj.weight │ 0.0123 │ a remark about it",
		"lm_head                                │      1 │")
	check(Options{Width: 41, Color: true},
		"\x1b[1mtensor         │  drift │ note\x1b[0m",
		"───────────────┼────────┼────────────────",
		"model.layers.… │ 0.0123 │ a remark about…",
		"lm_head        │      1 │")
}

// TestWidth: at every width that allows it the table fits, uses the room and
// never cuts a number.
func TestWidth(t *testing.T) {
	const least = narrowest + 3 + 6 + 3 + narrowest
	natural := text.StringWidthWithoutEscSequences(rendered(t, columns, rows, Options{})[1])
	for width := 1; width <= natural+5; width++ {
		lines := rendered(t, columns, rows, Options{Width: width})
		want := min(max(width, least), natural)
		if got := text.StringWidthWithoutEscSequences(lines[1]); got != want {
			t.Errorf("width %d: %d columns wide, want %d", width, got, want)
		}
		for _, line := range lines {
			if strings.HasSuffix(line, " ") || text.StringWidthWithoutEscSequences(line) > want {
				t.Errorf("width %d: line %q ends in a blank or is too long", width, line)
			}
		}
		if !strings.Contains(lines[2], " 0.0123 ") {
			t.Errorf("width %d: the number is cut in %q", width, lines[2])
		}
	}
}

// TestWide: letters of two columns count as two, on the screen as in the width.
func TestWide(t *testing.T) {
	lines := rendered(t, []Column{{Name: "name"}, {Name: "n", Right: true}}, [][]string{{"生命生命生命生命", "1"}}, Options{Width: 14})
	if got := text.StringWidthWithoutEscSequences(lines[2]); got > 14 || !strings.Contains(lines[2], "…") {
		t.Errorf("%q is %d columns wide, want 14 at most", lines[2], got)
	}
}

// TestHostile: a cell from an untrusted file cannot drive the terminal or add
// lines to the table.
func TestHostile(t *testing.T) {
	lines := rendered(t, []Column{{Name: "a\tb"}}, [][]string{{"x\x1b[2J\ny\r\u202ez\u009b"}}, Options{})
	if len(lines) != 3 || lines[0] != "a\uFFFDb" || lines[2] != "x\uFFFD[2J\uFFFDy\uFFFD\uFFFDz\uFFFD" {
		t.Errorf("%q", lines)
	}
}

func TestNoRows(t *testing.T) {
	if lines := rendered(t, columns, nil, Options{}); len(lines) != 2 || lines[0] != "tensor │ drift │ note" {
		t.Errorf("%q, want the head and its line", lines)
	}
}

// TestArguments: Render leaves the caller's cells as they were.
func TestArguments(t *testing.T) {
	given := [][]string{{strings.Repeat("long ", 20), "1", "\n"}}
	rendered(t, columns, given, Options{Width: 30})
	if len(given[0][0]) != 100 || given[0][2] != "\n" {
		t.Errorf("cells are now %q", given)
	}
}

func TestRenderError(t *testing.T) {
	if err := Render(full{}, columns, rows, Options{}); !errors.Is(err, errFull) {
		t.Errorf("error %v, want that of the writer", err)
	}
}

var errFull = errors.New("the disk is full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestPanics(t *testing.T) {
	check := func(name string, call func()) {
		t.Helper()
		defer func() {
			if message := fmt.Sprint(recover()); !strings.HasPrefix(message, "table: ") {
				t.Errorf("%s: panic %q, want one that names the package", name, message)
			}
		}()
		call()
	}
	check("no columns", func() { Render(&bytes.Buffer{}, nil, nil, Options{}) })
	check("short row", func() { Render(&bytes.Buffer{}, columns, [][]string{{"a"}}, Options{}) })
	check("no digits", func() { Sig(1, 0) })
}

// TestTellingEnds: names that differ in their ends only lose their beginnings, and
// the other way round.
func TestTellingEnds(t *testing.T) {
	check := func(want string, names ...string) {
		t.Helper()
		var rows [][]string
		for _, name := range names {
			rows = append(rows, []string{name, "1"})
		}
		var b strings.Builder
		if err := Render(&b, []Column{{Name: "task"}, {Name: "n", Right: true}}, rows, Options{Width: 16}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n")[2:] {
			got = append(got, strings.TrimSpace(strings.Split(line, "│")[0]))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q are shortened to %q, want %q", names, got, want)
		}
	}
	check("pair_mcq …try_trained …ry_held_out", "pair_mcq", "pair_chemistry_trained", "pair_chemistry_held_out")
	check("mmlu_anatom… mmlu_virolo…", "mmlu_anatomy_questions", "mmlu_virology_questions")
	check("the same na… the same na…", "the same name twice", "the same name twice")
}

// TestTail keeps the end of cells in a column that asks for it.
func TestTail(t *testing.T) {
	check := func(width int, want string) {
		t.Helper()
		var b strings.Builder
		err := Render(&b, []Column{{Name: "tensor", Tail: true}, {Name: "n", Right: true}},
			[][]string{{"model.layers.0.mlp.up_proj.weight", "1"}, {"größe.ü", "2"}}, Options{Width: width})
		if lines := strings.Split(b.String(), "\n"); err != nil || lines[2] != want || !strings.HasPrefix(lines[3], "größe.ü ") {
			t.Errorf("%d columns: %q, %v; want %q", width, lines[2:4], err, want)
		}
	}
	check(0, "model.layers.0.mlp.up_proj.weight │ 1")
	check(24, "….mlp.up_proj.weight │ 1")
	check(10, "….weight │ 1")
}

// TestRenderSpare leaves out spare columns of a table that is too wide, the last
// one first, and no more than it must.
func TestRenderSpare(t *testing.T) {
	columns := []Column{{Name: "alpha", Right: true}, {Name: "se", Right: true, Spare: true}, {Name: "score", Right: true}, {Name: "rate", Right: true, Spare: true}}
	check := func(width int, want string) {
		t.Helper()
		var out strings.Builder
		if err := Render(&out, columns, [][]string{{"0.5", "1.1", "40 %", "700"}}, Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		if head, _, _ := strings.Cut(out.String(), "\n"); head != want {
			t.Errorf("width %d: head %q, want %q", width, head, want)
		}
	}
	check(0, "alpha │  se │ score │ rate")
	check(26, "alpha │  se │ score │ rate")
	check(25, "alpha │  se │ score")
	check(18, "alpha │ score")
	check(5, "alpha │ score")
}
