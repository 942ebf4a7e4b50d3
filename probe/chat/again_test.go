package chat_test

import (
	"context"
	"fmt"
	"testing"

	"surgeon/probe/chat"
)

// TestRenderAgain renders conversations with one template, one after the other and
// at once: nothing of one may show in the next.
func TestRenderAgain(t *testing.T) {
	const source = `{% macro shout(x) %}{% set n = x | upper %}{{ n }}!{% endmacro %}{% set ns = namespace(count=0) %}
{%- if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}{% endif %}
{%- for m in messages %}{% set ns.count = ns.count + 1 %}{{ ns.count }}{{ shout(m['content']) }}{% endfor %}{{ system is defined }}`
	conversations := [][]chat.Message{
		{{Role: "system", Content: "be brief"}, {Role: "user", Content: "hello"}},
		{{Role: "user", Content: "and now"}},
		{{Role: "user", Content: "a"}, {Role: "assistant", Content: "b"}, {Role: "user", Content: "c"}},
	}
	render := func(template *chat.Template, i int) string {
		text, err := template.Render(context.Background(), conversations[i%3], chat.Options{})
		if err != nil {
			t.Error(err)
		}
		return text
	}
	fresh := func() *chat.Template {
		template, err := chat.New(source, nil)
		if err != nil {
			t.Fatal(err)
		}
		return template
	}
	var want []string
	for i := range conversations {
		want = append(want, render(fresh(), i))
	}
	if want[0] != "1BE BRIEF!2HELLO!True" || want[1] != "1AND NOW!False" {
		t.Fatalf("renderings %q", want)
	}
	shared := fresh()
	for i := range 12 {
		if got := render(shared, i); got != want[i%3] {
			t.Errorf("rendering %d: %q, want %q", i, got, want[i%3])
		}
	}
	for i := range 12 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			if got := render(shared, i); got != want[i%3] {
				t.Errorf("%q, want %q", got, want[i%3])
			}
		})
	}
}
