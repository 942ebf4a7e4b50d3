package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"surgeon/probe/chat"
)

// now is the day on which the goldens were made.
var now = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// goldens are what transformers renders; see testdata/make_goldens.py.
type goldens struct {
	Special       map[string]string
	Conversations [][]chat.Message
	Cases         []struct {
		Template     string
		Conversation int
		Generation   bool
		Text         string
		Error        string
	}
}

// TestGoldens renders the templates of testdata as transformers does, and those
// of a folder of one's own.
func TestGoldens(t *testing.T) {
	compare(t, "testdata/templates", "testdata/goldens.json")
	if dir := os.Getenv("SURGEON_TEMPLATES"); dir != "" {
		compare(t, dir, dir+".json")
	}
}

func compare(t *testing.T, dir, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var g goldens
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	same, all := map[string]int{}, map[string]int{}
	for _, c := range g.Cases {
		source, err := os.ReadFile(filepath.Join(dir, c.Template+".jinja"))
		if err != nil {
			t.Fatal(err)
		}
		all[c.Template]++
		var got string
		template, err := chat.New(string(source), g.Special)
		if err == nil {
			got, err = template.Render(context.Background(), g.Conversations[c.Conversation], chat.Options{Generation: c.Generation, Now: now})
		}
		if c.Error == "" && (err != nil || got != c.Text) || c.Error != "" && err == nil {
			t.Errorf("%s, conversation %d, generation %v:\n got %q, %v\nwant %q %s", c.Template, c.Conversation, c.Generation, got, err, c.Text, c.Error)
			continue
		}
		same[c.Template]++
	}
	for name, n := range all {
		if same[name] < n {
			t.Logf("%s: %d of %d", name, same[name], n)
		}
	}
}

func render(t *testing.T, source string, messages ...chat.Message) (string, error) {
	t.Helper()
	template, err := chat.New(source, map[string]string{"bos_token": "<s>"})
	if err != nil {
		return "", err
	}
	return template.Render(context.Background(), messages, chat.Options{Variables: map[string]any{"enable_thinking": true}})
}

var conversation = []chat.Message{{Role: "user", Content: "hé'y <b>"}, {Role: "assistant", Content: "hello"}}

// TestRender: what transformers adds to Jinja, and what the library misreads.
func TestRender(t *testing.T) {
	check := func(source, want string) {
		t.Helper()
		if got, err := render(t, source, conversation...); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", source, got, err, want)
		}
	}
	check("{{ bos_token }}{{ messages | length }}", "<s>2")
	check("{{ messages | tojson }}", `[{"role": "user", "content": "hé'y <b>"}, {"role": "assistant", "content": "hello"}]`)
	check("{{ {'b': 1, 'a': none, 'c': [true, 0.5]} | tojson }}", `{"a": null, "b": 1, "c": [true, 0.5]}`)
	check("{% generation %}said{% endgeneration %}", "said")
	check("{{ strftime_now('%d %b %Y %% %q') }}", "26 Jul 2024 % %q")
	check("{{ enable_thinking }}", "True")
	check("{{ messages[-1].content }}{{ messages[-2]['role'] }}", "hellouser")
	check("{{ messages[ -1 ].role }} {{ 'messages[-1]' }}", "assistant messages[-1]")
	check("{{ ('a' if messages else 'b') + ('c' if false) + '(x if y else z)' }}", "a(x if y else z)")
	check("{{ (1 if (2 if true else 3) == 2 else 4) }}", "1")
	check("{{ ('if' if 'else' == 'else' else \"else\") }}", "if")
	check("{# (a if b else c) #}{{ 'x' }}", "x")
	check("{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m.role }}{% endfor %}", "assistant")
	check("{% for i in range(1, 6, 2) %}{{ i }}{% endfor %}{% for i in range(2) %}{{ i }}{% endfor %}{% for i in range(3, 0, -1) %}{{ i }}{% endfor %}", "13501321")
	check("{{ tools is none }}{{ nothing is defined }}", "TrueFalse")
}

// TestRefuses: what a template may not do, or cannot, is an error that says so.
func TestRefuses(t *testing.T) {
	check := func(source, words string) {
		t.Helper()
		if got, err := render(t, source, conversation...); err == nil || got != "" || !strings.Contains(err.Error(), words) || len(err.Error()) > 300 {
			t.Errorf("%.60s: %.60q and error %v, want one with %q", source, got, err, words)
		}
	}
	check("{{ raise_exception('Roles must alternate') }}", "the chat template refuses the conversation: Roles must alternate")
	check("{% include '/etc/passwd' %}", "/etc/passwd")
	check("{% import '/etc/passwd' as x %}", "/etc/passwd")
	check("{% extends '/etc/passwd' %}", "/etc/passwd")
	check("{{ messages[0]", "cannot be read")
	check(strings.Repeat("x", 5000)+"{% nonsense %}", "nonsense")
	check("{{ messages[-3].content }}", "a list of 2 has no element 3 from its end")
	check("{{ messages[0].content[-1] }}", "") // a name with a dot and brackets
	check("{{ (messages)[-1] }}", "counts from the end")
	check("{% for i in range(10**9) %}{% endfor %}", "range")
	check("{% for i in range(100) %}{{ 'x' * 1000000 }}{% endfor %}", "16 MiB")
	check("{{ nothing.content }}", "nothing")
}

// TestDeadline ends a template that writes nothing.
func TestDeadline(t *testing.T) {
	template, err := chat.New("{% for i in range(1000000) %}{% for j in range(100) %}{% endfor %}{% endfor %}", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := template.Render(ctx, conversation, chat.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// TestRead finds the template and the special tokens where models have them.
func TestRead(t *testing.T) {
	check := func(config, jinja, want string) {
		t.Helper()
		template, err := chat.Read([]byte(config), []byte(jinja))
		var got string
		if err == nil {
			got, err = template.Render(context.Background(), conversation, chat.Options{})
		}
		if err != nil || got != want {
			t.Errorf("%s, %s: %q, %v, want %q", config, jinja, got, err, want)
		}
	}
	const tokens = `"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "</s>", "pad_token": null`
	check(`{`+tokens+`, "chat_template": "{{ bos_token }}{{ eos_token }}{{ pad_token is defined }}"}`, "", "<s></s>False")
	check(`{"chat_template": [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "plain"}]}`, "", "plain")
	check(`{`+tokens+`, "chat_template": "old"}`, "new {{ bos_token }}", "new <s>")
	for config, words := range map[string]string{
		`{}`: "no chat template", `{"chat_template": [{"name": "rag", "template": "x"}]}`: "no chat template", `{"chat_template": 7}`: "chat_template", `[`: "not JSON",
		`{"chat_template": "{{"}`: "cannot be read",
	} {
		if _, err := chat.Read([]byte(config), nil); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: error %v, want one with %q", config, err, words)
		}
	}
}

// FuzzRender: no template brings the program down.
func FuzzRender(f *testing.F) {
	files, _ := filepath.Glob("testdata/templates/*.jinja")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Add("{{ ('a' if b else (c if d)) }}{{ x[-1] }}{% generation %}{% endgeneration %}")
	f.Fuzz(func(t *testing.T, source string) {
		template, err := chat.New(source, nil)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if text, err := template.Render(ctx, conversation, chat.Options{}); err != nil && text != "" {
			t.Errorf("%q and error %v", text, err)
		}
	})
}
