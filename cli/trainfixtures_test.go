package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/tensors/tensorstest"
)

// chatTemplate is that of the models here.
const chatTemplate = `{% for m in messages %}<{{ m.role }}> {{ m.content }}
{% endfor %}{% if add_generation_prompt %}<assistant> {% endif %}`

// talker makes a small model that has a chat template.
func talker(t *testing.T, dir, name string) string {
	t.Helper()
	path := pico(t, dir, name, tensorstest.Pico{Seed: 7, Hidden: 16, Layers: 1})
	write(t, path, "chat_template.jinja", chatTemplate)
	return path
}

// lessons makes a file of n prompts with completions, in two slices.
func lessons(t *testing.T, dir, name string, n int) string {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"prompt":"Question %d of %s?","completion":" Answer %d","slice":"%s"}`+"\n", i, name, i*i%7, []string{"even", "odd"}[i%2])
	}
	return write(t, dir, name+".jsonl", b.String())
}

// trainLine is a command line that trains quickly.
func trainLine(base, data, out string, more ...string) []string {
	return append([]string{"train", base, "--data", data, "-o", out, "--batch-tokens", "64", "--steps", "12", "--learning-rate", "1e-2"}, more...)
}

// untrained checks that neither a target nor the state of a training is there.
func untrained(t *testing.T, what, out string) {
	t.Helper()
	left, err := filepath.Glob(out + "*")
	hidden, _ := filepath.Glob(filepath.Join(filepath.Dir(out), ".*"))
	if err != nil || len(left)+len(hidden) > 0 {
		t.Errorf("%s: left %q %q", what, left, hidden)
	}
}
