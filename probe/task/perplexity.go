package task

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode"

	"surgeon/probe/task/dataset"
)

// wikitext opens pages of WikiText, as the task of that name in
// lm-evaluation-harness.
func (o *opener) wikitext() error { return o.texts("wikitext", dataset.Pages) }

// perplexity opens pages of WikiText or, where there are none, other texts.
func (o *opener) perplexity() error {
	if _, err := o.tables(dataset.Pages); err == nil {
		return o.texts("perplexity", dataset.Pages)
	}
	return o.texts("perplexity", dataset.Texts)
}

func (o *opener) texts(name string, kind *dataset.Kind) error {
	tables, err := o.tables(kind)
	if err != nil {
		return err
	}
	t, err := textsTask(name, tables[0].Records, tables[0].Files)
	if err == nil {
		o.add(t)
	}
	return err
}

func textsTask(name string, records []dataset.Record, files []dataset.File) (Task, error) {
	t := Task{Name: name, Form: Perplexity, FixedShots: true, Files: files}
	for i, r := range records {
		var record struct {
			Page *string `json:"page"`
			Text *string `json:"text"`
		}
		if err := json.Unmarshal(r.Doc, &record); err != nil {
			return t, r.Errorf("%w", Plain(err))
		}
		item := Item{ID: fmt.Sprintf("%s/%d", strings.TrimSuffix(path.Base(r.File), path.Ext(r.File)), i), Doc: r.Doc}
		whole := ""
		switch {
		case record.Page != nil:
			whole, t.Version = *record.Page, "2.0"
			item.Prompt = plainPage(whole)
		case record.Text != nil:
			whole = *record.Text
			item.Prompt = whole
		}
		if strip(item.Prompt) == "" {
			return t, r.Errorf(`"page" or "text" is missing or empty`)
		}
		item.Words, item.Bytes = words(whole), len(whole)
		t.Items = append(t.Items, item)
	}
	return t, nil
}

// words is how many pieces lm-evaluation-harness counts in a text: one more than
// runs of white space, also of those at its ends.
func words(text string) int {
	n, space := 1, false
	for _, r := range text {
		is := unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
		if is && !space {
			n++
		}
		space = is
	}
	return n
}

// pageRules are what wikitext's task in lm-evaluation-harness does to a page, in
// order: WikiText stands in tokens, with blanks around punctuation and marks at
// numbers. White space is Python's \s.
var pageRules = func() []func(string) string {
	plain := func(pairs ...string) func(string) string {
		return func(page string) string {
			for i := 0; i < len(pairs); i += 2 {
				page = strings.ReplaceAll(page, pairs[i], pairs[i+1])
			}
			return page
		}
	}
	const space = `[\s\v\x1c-\x1f\x{85}\p{Z}]*`
	inside := func(open, close, text string) func(string) string {
		pattern := regexp.MustCompile(open + space + `(` + text + `*?)` + space + close)
		with := strings.ReplaceAll(open+"${1}"+close, `\`, "")
		return func(page string) string { return pattern.ReplaceAllString(page, with) }
	}
	odd := regexp.MustCompile(`/' [0-9]/`)
	return []func(string) string{
		plain("s '", "s'"),
		func(page string) string { return odd.ReplaceAllString(page, `/'[0-9]/`) },
		plain(" @-@ ", "-", " @,@ ", ",", " @.@ ", ".", " : ", ": ", " ; ", "; ", " . ", ". ", " ! ", "! ", " ? ", "? ", " , ", ", "),
		inside(`\(`, `\)`, `[^\)]`), inside(`\[`, `\]`, `[^\]]`), inside(`{`, `}`, `[^}]`), inside(`"`, `"`, `[^"]`), inside(`'`, `'`, `[^']`),
		plain("= = = =", "====", "= = =", "===", "= =", "==", " ° ", "°", " \n", "\n", "\n ", "\n", " N ", " 1 ", " 's", "'s"),
	}
}()

// plainPage turns a page of WikiText into running text.
func plainPage(page string) string {
	for _, rule := range pageRules {
		page = rule(page)
	}
	return page
}
