package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/cli/memo"
)

// checkMemo renders the memo of a run again: the same bytes, three pages; and a run
// folder that was changed is refused.
func checkMemo(t *testing.T, dir string) {
	t.Helper()
	files := []string{"memo.pdf", "memo.html", "memo.md", "figures/alpha.png", "figures/front.png", "figures/drift.png", "figures/exchange.png"}
	before := map[string]string{}
	for _, name := range files {
		before[name] = read(t, filepath.Join(dir, name))
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	says(t, "memo", done(t, "memo", dir), filepath.Join(dir, "memo.pdf"), filepath.Join(dir, "memo.html"), filepath.Join(dir, "memo.md"))
	for name, text := range before {
		if read(t, filepath.Join(dir, name)) != text {
			t.Errorf("%s is not the same when it is rendered again", name)
		}
	}
	if n := bytes.Count([]byte(before["memo.pdf"]), []byte("/Type /Page\n")); n != 3 {
		t.Errorf("memo.pdf has %d pages", n)
	}
	says(t, "memo.md", before["memo.md"], "Decision rule", "Table 1", "Table 2", "Table 3", "Residual risks", "Limitations", "Roll back", "surgeon audit")
	results := filepath.Join(dir, resultsFile)
	text := read(t, results)
	write(t, dir, resultsFile, strings.Replace(text, `"retention": 0.8`, `"retention": 0.7`, 1))
	refused(t, ExitInput, []string{results, "is not what the answers of the folder come to"}, "memo", dir)
	if err := os.Remove(results); err != nil {
		t.Fatal(err)
	}
	refused(t, ExitInput, []string{results, "the audit has not ended"}, "memo", dir)
	write(t, dir, resultsFile, text)
}

// TestMemoLint: what is no number of the results is not printed, neither through a
// figure of the memo nor in its words.
func TestMemoLint(t *testing.T) {
	results := map[string]any{"score": 0.125, "n": 40, "name": "layer 7"}
	page := func(text string) *memo.Memo {
		m := &memo.Memo{}
		m.Pages[0].Blocks = []memo.Block{memo.Paragraph{Text: text}}
		return m
	}
	check := func(want string, words func(c *cited) string) {
		t.Helper()
		c, err := newCited(results)
		if err != nil {
			t.Fatal(err)
		}
		switch err := c.lint(page(words(c))); {
		case want == "" && err != nil:
			t.Errorf("%v", err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("error %v, want %q", err, want)
		}
	}
	check("", func(c *cited) string { return c.percent(0.125) + " of " + c.count(40) + " in " + c.print("layer 7") })
	check("", func(c *cited) string { return c.points(-0.125) })
	check("12.6 %", func(c *cited) string { return c.percent(0.126) })
	check("41", func(c *cited) string { return c.count(41) })
	check("99", func(c *cited) string { return "and 99 more" })
	check("13", func(c *cited) string { return c.percent(0.125) + ", that is about 13 %" })
}

// TestMemoRefuses: a folder that is no audit.
func TestMemoRefuses(t *testing.T) {
	withPair(t)
	t.Chdir(t.TempDir())
	check := func(code int, says string, args ...string) {
		t.Helper()
		refused(t, code, []string{says}, append([]string{"memo"}, args...)...)
	}
	check(ExitUsage, "the run folder of an audit")
	check(ExitInput, "nowhere: no such file or directory", "nowhere")
	if err := os.Mkdir("empty", 0o777); err != nil {
		t.Fatal(err)
	}
	check(ExitInput, "empty", "empty")
	if _, errs, code := surgeon(t, "score", "base", "--tasks", "pair_mcq", "--limit", "2", "--out", "scored"); code != ExitDone {
		t.Fatal(errs)
	}
	check(ExitInput, "its plan is none of an audit", "scored")
}
