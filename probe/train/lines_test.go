package train_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/task"
	"surgeon/probe/train"
)

// letters makes a token of every byte; 256 begins and 257 ends an example.
func letters() train.Encoding {
	return train.Encoding{
		Encode: func(text string) (ids []int32) {
			for _, b := range []byte(text) {
				ids = append(ids, int32(b))
			}
			return ids
		},
		Begin: []int32{256}, End: []int32{257},
	}
}

// turns is a chat template: U for the user, A for the assistant, a dot behind each.
func turns(messages []task.Message, open bool) (string, error) {
	var b strings.Builder
	for _, m := range messages {
		switch m.Role {
		case "user", "assistant", "system":
			fmt.Fprintf(&b, "%s:%s.", strings.ToUpper(m.Role[:1]), m.Content)
		default:
			return "", fmt.Errorf("the template knows no role %q", m.Role)
		}
	}
	if open {
		b.WriteString("A:")
	}
	return b.String(), nil
}

// spelled writes an example as text, what is learned in brackets.
func spelled(e train.Example) string {
	var b strings.Builder
	learned := false
	for i, id := range e.Tokens {
		if e.Learned[i] != learned {
			b.WriteString(map[bool]string{true: "[", false: "]"}[e.Learned[i]])
			learned = e.Learned[i]
		}
		switch id {
		case 256:
			b.WriteByte('<')
		case 257:
			b.WriteByte('>')
		default:
			b.WriteByte(byte(id))
		}
	}
	if learned {
		b.WriteByte(']')
	}
	return b.String()
}

// TestLines: what is learned of each form of a line, without and with a chat
// template, and where every token counts.
func TestLines(t *testing.T) {
	plain, chat := letters(), letters()
	chat.Chat = turns
	check := func(e train.Encoding, line, want string) {
		t.Helper()
		list, err := train.Lines("x.jsonl", strings.NewReader(line), e)
		if err != nil || len(list) != 1 || spelled(list[0]) != want {
			t.Errorf("%s: %v, %v, want %s", line, list, err, want)
			return
		}
	}
	check(plain, `{"prompt":"ask ","completion":"say"}`, "<ask [say>]")
	check(plain, `{"completion":"say"}`, "<[say>]")
	check(plain, `{"prompt":"ask","answer":"say"}`, "<ask[ say>]") // an item of a task
	check(chat, `{"prompt":"ask","answer":"say"}`, "U:ask.A:[say.]")
	check(plain, `{"text":"all of it"}`, "<[all of it>]")
	check(chat, `{"text":"all of it"}`, "<[all of it>]")
	check(chat, `{"prompt":"ask","completion":"say"}`, "U:ask.A:[say.]")
	check(chat, `{"messages":[{"role":"user","content":"ask"},{"role":"assistant","content":"say"}]}`, "U:ask.A:[say.]")
	check(chat, `{"messages":[{"role":"system","content":"be"},{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"},{"role":"assistant","content":"d"}]}`,
		"S:be.U:a.A:[b.]U:c.A:[d.]")
	check(chat, `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"and?"}]}`, "U:a.A:[b.]") // nothing is learned behind it
	check(chat, `{"messages":[{"role":"assistant","content":"hello"}]}`, "A:[hello.]")

	plainAll, chatAll := plain, chat
	plainAll.All, chatAll.All = true, true
	check(plainAll, `{"prompt":"ask"}`, "<ask")
	check(plainAll, `{"prompt":"ask ","completion":"say"}`, "<ask [say>]")
	check(plainAll, `{"text":"it"}`, "<[it>]")
	check(chatAll, `{"prompt":"ask"}`, "U:ask.A:")
	check(chatAll, `{"prompt":"ask","completion":"say"}`, "U:ask.A:[say.]")
	check(chatAll, `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]}`, "U:a.A:[b.]U:c.A:")

	bare := train.Encoding{Encode: letters().Encode}
	check(bare, `{"prompt":"a","completion":"b"}`, "a[b]")
	list, err := train.Lines("x", strings.NewReader("\ufeff\n{\"text\":\"one\",\"slice\":\"s\"}\n\n  \n{\"text\":\"two\",\"other\":1}"), plain)
	if err != nil || len(list) != 2 || list[0].Slice != "s" || list[1].Slice != "" {
		t.Errorf("two lines with blank ones: %v, %v", list, err)
	}
}

// TestBadLines are errors that name file, line and rule.
func TestBadLines(t *testing.T) {
	plain, chat, all := letters(), letters(), letters()
	chat.Chat = turns
	all.Chat, all.All = turns, true
	bare := train.Encoding{Encode: letters().Encode}
	check := func(e train.Encoding, line, want string) {
		t.Helper()
		for _, before := range []string{"", `{"text":"a good one"}` + "\n", strings.Repeat(`{"text":"a good one"}`+"\n", 70) + "\n"} {
			list, err := train.Lines("x.jsonl", strings.NewReader(before+line), e)
			want := fmt.Sprintf("x.jsonl:%d: %s", strings.Count(before, "\n")+1, want)
			if err == nil || err.Error() != want || list != nil {
				t.Errorf("%s: %v, error %v, want %q", line, list, err, want)
			}
		}
	}
	const nothing = "nothing of the line is learned: want a completion, an assistant's message or a text"
	forms := func(n int) string {
		return fmt.Sprintf("want either prompt and completion, or messages, or text: the line has %d of them", n)
	}
	for _, e := range []train.Encoding{plain, chat} {
		check(e, `{"prompt":"ask"}`, nothing)
		check(e, `{"prompt":"ask","completion":""}`, nothing)
		check(e, `{}`, forms(0))
		check(e, `{"text":""}`, forms(0))
		check(e, `{"prompt":"a","completion":"b","text":"c"}`, forms(2))
		check(e, `{"prompt":"a","messages":[],"text":"c"}`, forms(3))
		check(e, `{bad`, "invalid character 'b' looking for beginning of object key string")
		check(e, `{"prompt":"ask"`, "unexpected end of JSON input")
		check(e, `[]`, "must be an object, not array")
		check(e, `{"prompt":7}`, `"prompt" must be text, not number`)
		check(e, `{"messages":{"role":"user"}}`, `"messages" must be a list, not object`)
		check(e, `{"messages":[{"role":1}]}`, `"messages.role" must be text, not number`)
		check(e, `{"slice":["a"],"text":"x"}`, `"slice" must be text, not array`)
	}
	check(plain, `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`, "a line with messages needs a model with a chat template")
	check(chat, `{"messages":[]}`, nothing)
	check(chat, `{"messages":[{"role":"user","content":"a"}]}`, nothing)
	check(chat, `{"messages":[{"role":"tool","content":"a"},{"role":"assistant","content":"b"}]}`, `the template knows no role "tool"`)
	check(chat, `{"messages":[{"role":"assistant","content":"b"},{"role":"tool","content":"a"},{"role":"assistant","content":"b"}]}`, `the template knows no role "tool"`)
	check(all, `{"messages":[{"role":"tool","content":"a"}]}`, `the template knows no role "tool"`)
	check(all, `{"messages":[]}`, "the line has fewer than 2 tokens: want a prompt, messages or a text")
	check(bare, `{"text":"a"}`, nothing) // one token: nothing stands before it
	bare.All = true
	check(bare, `{"text":"a"}`, "the line has fewer than 2 tokens: want a prompt, messages or a text")

	for _, text := range []string{"", "\n \n", "\ufeff"} {
		if _, err := train.Lines("x.jsonl", strings.NewReader(text), plain); err == nil || err.Error() != "x.jsonl: no lines: want one JSON object a line, with prompt and completion, messages or text" {
			t.Errorf("%q: error %v", text, err)
		}
	}
	broken := errors.New("the disk is gone")
	if _, err := train.Lines("x.jsonl", failing{broken}, plain); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
	_, err := train.Lines("x.jsonl", strings.NewReader(strings.Repeat(`{"prompt":"a"}`+"\n", 100)), plain)
	if err == nil || !strings.HasPrefix(err.Error(), "x.jsonl:1: ") {
		t.Errorf("of a hundred bad lines the first is named: %v", err)
	}
}

type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }

// TestRewritingTemplate: a template that writes an earlier turn in another way
// once more follow (Qwen3's drops what was thought) is refused.
func TestRewritingTemplate(t *testing.T) {
	e := letters()
	e.Chat = func(messages []task.Message, open bool) (string, error) {
		messages = slices.Clone(messages)
		for i := range messages[:max(0, len(messages)-1)] {
			_, messages[i].Content, _ = strings.Cut("|"+messages[i].Content, "|")
			messages[i].Content = strings.TrimPrefix(messages[i].Content, "thought")
		}
		return turns(messages, open)
	}
	check := func(all bool, line string, refused bool) {
		t.Helper()
		e.All = all
		_, err := train.Lines("x", strings.NewReader(line), e)
		if refused != (err != nil) || refused && err.Error() != "x:1: the chat template writes earlier turns in another way once more follow: such a template cannot be trained on" {
			t.Errorf("%s: error %v", line, err)
		}
	}
	const first = `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"thought b"}`
	for _, all := range []bool{false, true} {
		check(all, first+`]}`, false)
		check(all, first+`,{"role":"user","content":"c"},{"role":"assistant","content":"d"}]}`, true)
	}
	check(true, first+`,{"role":"user","content":"c"}]}`, true)
	check(false, first+`,{"role":"user","content":"c"}]}`, false) // nothing is learned behind the turn
}

// TestFit counts what is longer and keeps the order of the rest.
func TestFit(t *testing.T) {
	list := append(examples(3, 5, 40), examples(2, 9, 40)...)
	list = append(list, examples(1, 4, 40)...)
	check := func(most, kept, longer int) {
		t.Helper()
		got, n := train.Fit(list, most)
		if len(got) != kept || n != longer {
			t.Errorf("at most %d tokens: %d kept, %d longer, want %d and %d", most, len(got), n, kept, longer)
		}
	}
	check(9, 6, 0)
	check(8, 4, 2)
	check(4, 1, 5)
	check(3, 0, 6)
}

// FuzzLines: whatever a file holds, each line is an example or the first error
// names file and line; an example has a mask for every token and something that is
// learned.
func FuzzLines(f *testing.F) {
	for _, line := range []string{`{"prompt":"a","completion":"b"}`, `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`, `{"text":"x"}`,
		`{"messages":[]}`, `{"messages":null}`, `{"prompt":"a"}`, "{}\n\n[]", "\ufeff{\"text\":\"\\ud800\"}", `{"messages":[{"role":"assistant"}]}`, `{"messages":[null]}`} {
		for _, mode := range []byte{0, 1, 2, 3} {
			f.Add(line, mode)
		}
	}
	f.Fuzz(func(t *testing.T, text string, mode byte) {
		e := letters()
		if e.All = mode&1 != 0; mode&2 != 0 {
			e.Chat = turns
		}
		list, err := train.Lines("x", strings.NewReader(text), e)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x:") || list != nil {
				t.Errorf("error %v with %d examples", err, len(list))
			}
			return
		}
		for _, x := range list {
			if len(x.Tokens) != len(x.Learned) || len(x.Tokens) < 2 || !e.All && !slices.Contains(x.Learned[1:], true) {
				t.Errorf("%+v", x)
			}
		}
	})
}
