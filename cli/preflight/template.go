package preflight

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// template is a chat template and the file it stands in.
type template struct{ file, text string }

// templates compares the chat templates, wherever they stand.
func (c *comparison) templates() error {
	base, tuned, err := c.read(jinjaFile, configLimits)
	if err != nil {
		return err
	}
	for _, one := range []*content{&base, &tuned} {
		if !utf8.Valid(one.data) {
			one.fault = "is not UTF-8 text"
		}
	}
	if c.faulty(jinjaFile, base, tuned) {
		base, tuned = content{}, content{}
	}
	b, t := c.base.templates(base), c.tuned.templates(tuned)
	names := maps.Clone(b)
	maps.Copy(names, t)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		here, there := b[name], t[name]
		if here.text != there.text || (here.file == "") != (there.file == "") {
			c.add(retemplated(name, here, there))
		}
	}
	return nil
}

// standard is the name of the template that is used unless another is named.
const standard = "default"

// templates are the chat templates of a side by name. A file of their own wins
// over the tokenizer's settings.
func (s side) templates(jinja content) map[string]template {
	found := map[string]template{}
	for _, file := range []string{settingsFile, templateFile} {
		switch v := s.objects[file]["chat_template"].(type) {
		case string:
			found[standard] = newTemplate(file, v)
		case []any:
			for _, one := range v {
				named, _ := one.(map[string]any)
				name, _ := named["name"].(string)
				if source, ok := named["template"].(string); ok {
					found[name] = newTemplate(file, source)
				}
			}
		}
	}
	if jinja.there {
		found[standard] = newTemplate(jinjaFile, string(jinja.data))
	}
	return found
}

// newTemplate leaves out a last line break, as Jinja does.
func newTemplate(file, source string) template {
	return template{file, strings.TrimSuffix(source, "\n")}
}

func retemplated(name string, base, tuned template) Finding {
	f := Finding{Warning, base.file, "chat_template", absent, absent,
		"the merge keeps the base's chat template: take over the tuned model's if it was trained on chats of that form"}
	if base.file == "" {
		f.File = tuned.file
		f.Says = "the merge has no chat template, as the base: take over the tuned model's if it was trained on chats of that form"
	}
	if name != standard {
		f.Field = clip(dotted([]string{f.Field, name}))
	}
	at := divergence([]rune(base.text), []rune(tuned.text))
	if base.file != "" {
		f.Base = excerpt(base.text, at)
	}
	if tuned.file != "" {
		f.Tuned = excerpt(tuned.text, at)
	}
	return f
}

// excerpt is the size of a text and what it says at a character.
func excerpt(text string, at int) string {
	runes := []rune(text)
	rest := runes[min(at, len(runes)):]
	rest = rest[:min(readable, len(rest))]
	return clip(fmt.Sprintf("%s, from %d on %s", counted(len(runes), "character"), at+1, strconv.Quote(string(rest))))
}
