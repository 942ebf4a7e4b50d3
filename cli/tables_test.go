package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestAllTablesFit reads the lines of every table for a terminal of 80 columns
// and a narrow one, with models of long tensor names.
func TestAllTablesFit(t *testing.T) {
	dir := t.TempDir()
	long := func(m *tensorstest.Memory) {
		m.Add("model.vision_tower.encoder.layers.10.cross_attention_to_the_text.query_key_value_projection.weight", tensors.BF16, []int{2, 3}, []float32{1, 2, 3, 4, 5, 6})
	}
	base, tuned := variant(t, dir, "base", tensorstest.Pico{Seed: 1}, long), variant(t, dir, "tuned", tensorstest.Pico{Seed: 1, Drift: 0.1}, long)
	check := func(narrow int, args ...string) {
		t.Helper()
		for _, width := range []int{80, narrow} {
			out := filepath.Join(t.TempDir(), "out")
			for i := range args {
				args[i] = strings.Replace(args[i], "OUT", out, 1)
			}
			var text, errs bytes.Buffer
			if code := run(context.Background(), environment{out: &text, err: &errs, width: width}, args); code != ExitDone {
				t.Fatalf("%q: %s", args, &errs)
			}
			lines := 0
			for line := range strings.Lines(text.String()) {
				if !strings.ContainsAny(line, "│┼") {
					continue
				}
				if lines++; len([]rune(strings.TrimRight(line, "\n"))) > width {
					t.Errorf("%s at %d columns: %s", strings.Join(args, " "), width, line)
				}
			}
			if lines < 3 {
				t.Errorf("%q prints no table", args)
			}
			if strings.Contains(text.String(), "\x1b") {
				t.Errorf("%q: escape sequences without a terminal", args)
			}
			args[len(args)-1] = strings.Replace(args[len(args)-1], out, "OUT", 1)
		}
	}
	check(67, "diff", base, tuned) // numbers are never cut: below, a line is too long
	check(67, "diff", base, tuned, "--tensors")
	check(75, "diff", base, tuned, "--svd", "4")
	check(75, "diff", base, tuned, "--svd", "4", "--tensors")
	check(60, "inspect", base, "--tensors")
	check(60, "inspect", base, "--digests")
	check(60, "merge", base, tuned, "--alpha", "layers.0-1.self_attn.q_proj=0.125,norms=0,*=1", "--explain")
	check(60, "merge", base, tuned, tuned, "--alpha", "0.5", "--explain")
	check(60, "merge", base, tuned, "--alpha", "0.5", "--shard-size", "40KB", "-o", "OUT")
}

// TestColour: a terminal gets bold heads and a bar, nothing else does.
func TestColour(t *testing.T) {
	text := func(terminal bool) string {
		var out, errs bytes.Buffer
		run(context.Background(), environment{out: &out, err: &errs, outTerminal: terminal, width: 80}, []string{"merge", "base", "chem", "--alpha", "1", "--explain"})
		return out.String()
	}
	if !strings.Contains(text(true), "\x1b[1mtensor") || strings.Contains(text(false), "\x1b") || strings.Contains(text(false), "\r") {
		t.Errorf("terminal %q, file %q", text(true), text(false))
	}
	none, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	if e := environmentOf(none, none); e.outTerminal || e.errTerminal || e.width != 0 {
		t.Errorf("a file is taken for a terminal: %+v", e)
	}
}

// TestProgressBars are drawn on standard error of a terminal, and taken away.
func TestProgressBars(t *testing.T) {
	dir := t.TempDir()
	draw := func(terminal bool, args ...string) string {
		var out, errs bytes.Buffer
		if code := run(context.Background(), environment{out: &out, err: &errs, errTerminal: terminal, width: 80}, args); code != ExitDone {
			t.Fatalf("%q: %s", args, &errs)
		}
		if strings.Contains(out.String(), "\r") {
			t.Errorf("%q: a bar on standard output", args)
		}
		return errs.String()
	}
	for i, args := range [][]string{{"diff", "base", "chem", "--svd", "2"}, {"inspect", "base", "--verify", "--digests"}, {"merge", "base", "chem", "--alpha", "1", "-o", filepath.Join(dir, "out")}} {
		if bar := draw(true, args...); !strings.Contains(bar, "%") || !strings.HasSuffix(bar, "\r") && !strings.HasSuffix(bar, "\x1b[2K") {
			t.Errorf("%q: draws %q", args, bar)
		}
		if i == 2 {
			args = append(args, "--force")
		}
		if bar := draw(true, append(args, "--quiet")...); bar != "" {
			t.Errorf("%q --quiet: draws %q", args, bar)
		}
		if bar := draw(false, args...); bar != "" {
			t.Errorf("%q without a terminal: draws %q", args, bar)
		}
	}
}

// TestProgressBarCutShort: work that fails half way leaves no bar behind.
func TestProgressBarCutShort(t *testing.T) {
	var errs bytes.Buffer
	step, finish := environment{err: &errs, errTerminal: true}.progress(cli.NewContext(cli.NewApp(), nil, nil), "work", "bytes")
	step(1, 10)
	drawn := errs.Len()
	finish()
	if cleared := errs.String()[drawn:]; drawn == 0 || cleared == "" || strings.Contains(cleared, "work") {
		t.Errorf("drawn %q, then %q", errs.String()[:drawn], cleared)
	}
}
