package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"surgeon/cli/memo"
	"surgeon/probe/record"
)

func memoCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "memo",
		Usage:     "the three-page memo of an audit again, from its run folder alone",
		ArgsUsage: "RUN",
		Description: `Writes memo.pdf, memo.html and memo.md into the run folder of a finished audit, and its figures. The
same folder gives the same bytes. Every number of the memo must be one of results.json, and
results.json what the answers in log.jsonl come to: otherwise nothing is written.

Example:
   surgeon memo quick-look`,
		Flags: common(),
		Action: func(c *cli.Context) error {
			args, err := models(c, 1, 1, "the run folder of an audit")
			if err != nil {
				return err
			}
			r, err := auditOf(args[0])
			if err != nil {
				return err
			}
			if err := r.unchanged(); err != nil {
				return err
			}
			paths, err := r.writeMemo()
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return env.printJSON(paths)
			}
			for _, path := range paths {
				if err := env.printf("%s\n", path); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// unchanged reports that results.json is not what the answers come to.
func (r *auditResult) unchanged() error {
	path := filepath.Join(r.dir, resultsFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: not there: the audit has not ended: repeat surgeon audit to go on", path)
	}
	if err != nil {
		return err
	}
	text, err := indented(r)
	if err == nil && string(text) != string(data) {
		err = fmt.Errorf("%s is not what the answers of the folder come to, by this version of surgeon: repeat surgeon audit to write it anew", path)
	}
	return err
}

const resultsFile = "results.json"

// writeMemo writes the memo and its figures, and returns their paths.
func (r *auditResult) writeMemo() (paths []string, err error) {
	m, err := r.memo()
	if err != nil {
		return nil, err
	}
	pdf, err := m.PDF()
	if err != nil {
		return nil, err
	}
	html, err := m.HTML()
	if err != nil {
		return nil, err
	}
	files := []struct {
		name string
		data []byte
	}{{"memo.pdf", pdf}, {"memo.html", html}, {"memo.md", m.Markdown()}}
	if err := os.MkdirAll(filepath.Join(r.dir, "figures"), 0o777); err != nil {
		return nil, err
	}
	for _, page := range m.Pages {
		for _, block := range page.Blocks {
			figures, _ := block.(memo.Figures)
			for _, f := range figures {
				if err := record.WriteFile(filepath.Join(r.dir, "figures", f.Name), f.PNG); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, f := range files {
		path := filepath.Join(r.dir, f.name)
		if err := record.WriteFile(path, f.data); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// memo is the memo, all of whose numbers have a record.
func (r *auditResult) memo() (*memo.Memo, error) {
	c, err := newCited(r)
	if err != nil {
		return nil, err
	}
	m := &memo.Memo{
		Title:    c.print(fmt.Sprintf("Safety memo: %s against %s", shortNames(r.Tuned, r.Base)...)),
		Subtitle: fmt.Sprintf("plan %s · surgeon %s · author: %s · decision owner: %s", c.print(r.Plan[:12]), r.Version, blank(r.Rule.Author), blank(r.Rule.Owner)),
		Footer:   fmt.Sprintf("plan %s · results.json and log.jsonl of the run folder hold every number and answer", c.print(r.Plan[:12])),
	}
	if r.Rule.Date != "" {
		if m.Date, err = time.Parse(time.DateOnly, r.Rule.Date); err != nil {
			return nil, fmt.Errorf("%s: its plan has the date %s: want YYYY-MM-DD", r.dir, r.Rule.Date)
		}
	}
	pages := []func(*cited) (memo.Page, error){r.decisionPage, r.evidencePage, r.actionPage}
	for i, page := range pages {
		if m.Pages[i], err = page(c); err != nil {
			return nil, err
		}
	}
	if err := r.lintAdvice(); err != nil {
		return nil, err
	}
	return m, c.lint(m)
}

// shortNames are the last parts of the paths of two models, if these tell them apart.
func shortNames(tuned, base string) []any {
	if a, b := filepath.Base(tuned), filepath.Base(base); a != b {
		return []any{a, b}
	}
	return []any{tuned, base}
}

// blank is a name, or a line to write it on.
func blank(name string) string {
	if name == "" {
		return "________"
	}
	return name
}
