package task_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"surgeon/probe/task"
	"surgeon/tensors/tensorstest"
)

// good is a line that keeps every rule.
const good = `{"id":"a","prompt":"p","choices":["x","y"],"gold":1}`

var goodItem = task.Item{ID: "a", Prompt: "p", Choices: []string{"x", "y"}, Gold: 1}

// another is a line like good with another id.
func another(id string) string { return strings.Replace(good, `"a"`, fmt.Sprintf("%q", id), 1) }

func read(text string) (task.Task, error) {
	return readOne("name", "file.jsonl", strings.NewReader(text))
}

// readOne reads a file of one form.
func readOne(name, file string, r io.Reader) (task.Task, error) {
	set, err := task.Read(name, file, r)
	if len(set.Tasks) == 1 {
		return set.Tasks[0], err
	}
	return task.Task{}, err
}

func TestReadMCQ(t *testing.T) {
	check := func(name, text string, want ...task.Item) {
		t.Helper()
		got, err := read(text)
		if err != nil || got.Name != "name" || !reflect.DeepEqual(got.Items, want) {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
		}
	}
	b := goodItem
	b.ID = "b"
	check("a line", good+"\n", goodItem)
	check("no line break at the end", good+"\n"+another("b"), goodItem, b)
	check("CRLF", good+"\r\n"+another("b")+"\r\n", goodItem, b)
	check("blank lines", "\n \t\r\n"+good+"\n\n\n"+another("b")+"\n\n", goodItem, b)
	check("blanks around", "  "+good+"  \n", goodItem)
	check("file order", another("b")+"\n"+good, b, goodItem)
	check("other fields", `{"topic":{"deep":[1]},"gold":1,"choices":["x","y"],"prompt":"p","id":"a"}`, goodItem)
	check("escapes", `{"id":"a","prompt":"line\nbreak \u00e9 \ud83d\ude00 \"q\" \\","choices":["\t","\u0000"],"gold":0}`,
		task.Item{ID: "a", Prompt: "line\nbreak é 😀 \"q\" \\", Choices: []string{"\t", "\x00"}})
	number := goodItem
	number.ID = "17"
	check("a number", `{"id":17,"prompt":"p","choices":["x","y"],"gold":1}`, number)
	check("a byte order mark", "\ufeff"+good, goodItem)
	check("kept as they are", `{"id":" a ","prompt":" p ","choices":[" x"," "],"gold":0}`, task.Item{ID: " a ", Prompt: " p ", Choices: []string{" x", " "}})
	check("many choices", `{"id":"a","prompt":"p","choices":["1","2","3","4","5"],"gold":4}`,
		task.Item{ID: "a", Prompt: "p", Choices: []string{"1", "2", "3", "4", "5"}, Gold: 4})
}

// TestReadMCQRefuses checks the whole error of a malformed line, which is the
// third: a good one and a blank one, which counts, stand before it.
func TestReadMCQRefuses(t *testing.T) {
	refuse := func(line, want string) {
		t.Helper()
		for _, end := range []string{"\n", "\r\n", "", "\n" + another("z") + "\n"} {
			_, err := read(good + "\n\n" + line + end)
			if err == nil || !strings.HasPrefix(err.Error(), "file.jsonl:3: "+want) {
				t.Errorf("%.80q: error %v, want file.jsonl:3: %s", line, err, want)
			}
		}
	}
	not := "not an item: "
	refuse("x", not)
	refuse("{", not)
	refuse("[]", "must be an object, not array")
	refuse(`"text"`, "must be an object, not string")
	refuse("1", "must be an object, not number")
	refuse(good[:len(good)-1], not)
	refuse(good+good, not)
	refuse(good+",", not)
	refuse("\ufeff"+another("b"), not) // a byte order mark stands at the beginning
	refuse(`{"id":[1],"prompt":"p","choices":["x","y"],"gold":1}`, `"id" is missing: every item needs one, a text or a number`)
	refuse(`{"id":true,"prompt":"p","choices":["x","y"],"gold":1}`, `"id" is missing`)
	refuse(`{"id":"b","prompt":["p"],"choices":["x","y"],"gold":1}`, `"prompt" must be text, not array`)
	refuse(`{"id":"b","prompt":"p","choices":"xy","gold":1}`, `"choices" must be a list, not string`)
	refuse(`{"id":"b","prompt":"p","choices":["x",1],"gold":1}`, `"choices" must be text, not number`)
	refuse(`{"id":"b","prompt":"p","choices":["x","y"],"gold":"z"}`, `"gold" is "z", outside the 2 choices`)
	refuse(`{"id":"b","prompt":"p","choices":["x","y"],"gold":0.5}`, `"gold" is 0.5: want the index`)
	refuse(`{"id":"b","prompt":"p","choices":["x","y"],"gold":9999999999999999999}`, `"gold" is 9999999999999999999: want the index`)
	refuse("{\"id\":\"b\",\"prompt\":\"\xff\",\"choices\":[\"x\",\"y\"],\"gold\":1}", "not UTF-8")

	refuse("null", `"id" is missing`)
	refuse("{}", `"id" is missing`)
	refuse(`{"id":null,"prompt":"p","choices":["x","y"],"gold":1}`, `"id" is missing`)
	refuse(another(""), `"id" is missing`)
	refuse(`{"id":"b","choices":["x","y"],"gold":1}`, `"prompt" is missing or empty`)
	refuse(`{"id":"b","prompt":"","choices":["x","y"],"gold":1}`, `"prompt" is missing or empty`)
	refuse(`{"id":"b","prompt":"p","gold":1}`, `needs "choices" and "gold", or "answer"`)
	refuse(`{"id":"b","prompt":"p","choices":null,"gold":1}`, `needs "choices" and "gold", or "answer"`)
	refuse(`{"id":"b","prompt":"p","form":"mcq","gold":1}`, `"choices" has 0 entries: it needs at least 2`)
	refuse(`{"id":"b","prompt":"p","choices":["x"],"gold":0}`, `"choices" has 1 entries`)
	refuse(`{"id":"b","prompt":"p","choices":["x",""],"gold":0}`, `choice 1 is empty`)
	refuse(`{"id":"b","prompt":"p","choices":[null,"y"],"gold":0}`, `choice 0 is empty`)
	refuse(`{"id":"b","prompt":"p","choices":["x","y"]}`, `"gold" is missing`)
	refuse(`{"id":"b","prompt":"p","choices":["x","y"],"gold":null}`, `"gold" is missing`)
	refuse(`{"id":"b","prompt":"p","choices":["x","y"],"gold":2}`, `"gold" is 2, outside the 2 choices`)
	refuse(`{"id":"b","prompt":"p","choices":["x","y"],"gold":-1}`, `"gold" is -1, outside the 2 choices`)
	refuse(good, `id "a" stands on line 1 already`)
}

func TestReadMCQNothing(t *testing.T) {
	for _, text := range []string{"", "\n", " \r\n\t\n", "\ufeff\n"} {
		if _, err := read(text); err == nil || err.Error() != "file.jsonl: no items: a task needs at least one line" {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// TestReadMCQLong has lines longer than bufio's buffer of 4 kB and than the
// 64 kB at which a bufio.Scanner gives up, read a byte at a time too.
func TestReadMCQLong(t *testing.T) {
	long := strings.Repeat("long ", 40000) // 200 kB
	text := strings.Replace(good, `"p"`, `"`+long+`"`, 1) + "\n" + another("b") + "\nx"
	for name, r := range map[string]io.Reader{"whole": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text)), "halves": iotest.HalfReader(strings.NewReader(text))} {
		got, err := readOne("name", "f", r)
		if err == nil || !strings.HasPrefix(err.Error(), "f:3: ") {
			t.Errorf("%s: error %v, want one of f:3", name, err)
		}
		if len(got.Items) != 2 || got.Items[0].Prompt != long {
			t.Errorf("%s: %d items before the error", name, len(got.Items))
		}
	}
}

// TestReadFails: an error of the reader is told with the line it came in.
func TestReadFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	for text, want := range map[string]string{
		"":                         "f:1: the disk is gone",
		good + "\n":                "f:2: the disk is gone",
		good + "\n" + another("b"): "f:2: the disk is gone", // a half line is not an item
	} {
		_, err := readOne("name", "f", io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || err.Error() != want {
			t.Errorf("%.20q: error %v, want %s", text, err, want)
		}
	}
}

// TestEachLine checks numbers, text and the stop at the first error.
func TestEachLine(t *testing.T) {
	stop := errors.New("enough")
	var seen []string
	err := task.EachLine("f", strings.NewReader("one\n\n \t\ntwo\r\nthree\nfour"), func(number int, text []byte) error {
		seen = append(seen, fmt.Sprintf("%d %q", number, text))
		if number == 5 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || err.Error() != "f:5: enough" {
		t.Errorf("error %v, want f:5: enough", err)
	}
	if want := []string{`1 "one\n"`, `4 "two\r\n"`, `5 "three\n"`}; !slices.Equal(seen, want) {
		t.Errorf("lines %q, want %q", seen, want)
	}
}

// TestEmbedded reads the task that comes with the program.
func TestEmbedded(t *testing.T) {
	got, err := readOne("symbols", "embedded", bytes.NewReader(tensorstest.Items()))
	if err != nil || len(got.Items) != 24 { // one for each element that the builder asks for
		t.Errorf("%d items, %v, want 24", len(got.Items), err)
	}
}

func TestChoose(t *testing.T) {
	check := func(want int, logProbs ...float64) {
		t.Helper()
		if got := task.Choose(logProbs); got != want {
			t.Errorf("Choose(%v) = %d, want %d", logProbs, got, want)
		}
	}
	low := math.Inf(-1)
	check(0, -1)
	check(1, -2, -1)
	check(2, -3, -2, -1, -4)
	check(0, -1, -1)     // the lowest of equals
	check(1, -2, -1, -1) // among the largest
	check(0, 0, math.Copysign(0, -1))
	check(0, math.Copysign(0, -1), 0) // zeros are equal
	check(0, low, low)
	check(1, low, -1e308)
	check(1, math.Nextafter(-1, -2), -1) // one bit is enough
}

func TestGrade(t *testing.T) {
	item := task.Item{ID: "a", Prompt: "p", Choices: []string{"x", "y", "z"}, Gold: 1}
	check := func(want float64, logProbs ...float64) {
		t.Helper()
		if got := item.GradeChoice(logProbs); got != want {
			t.Errorf("Grade(%v) = %v, want %v", logProbs, got, want)
		}
	}
	check(1, -2, -1, -3)
	check(0, -1, -2, -3)
	check(0, -3, -2, -1)
	check(0, -1, -1, -3) // a tie with a choice before the right one is lost
	check(1, -2, -1, -1) // and with one after it is won
}

// TestGradePanics: another number of log-likelihoods is a mistake of the
// program, told with the package's name.
func TestGradePanics(t *testing.T) {
	item := task.Item{Choices: []string{"x", "y"}}
	for _, logProbs := range [][]float64{nil, {-1}, {-1, -2, -3}} {
		func() {
			defer func() {
				if want := fmt.Sprintf("task: %d log-likelihoods for 2 choices", len(logProbs)); recover() != want {
					t.Errorf("%v: no panic %q", logProbs, want)
				}
			}()
			item.GradeChoice(logProbs)
		}()
	}
}

// FuzzReadMCQ: whatever is read, what is accepted keeps the rules, has one
// item for each line that is not blank, and an error names the file.
func FuzzReadMCQ(f *testing.F) {
	f.Add([]byte(good + "\r\n\n" + another("b")))
	f.Add([]byte(good + "\n" + good))
	f.Add([]byte("\ufeff" + good))
	f.Add([]byte(`{"id":"a","prompt":"p","choices":["x",null],"gold":0}`))
	f.Add(tensorstest.Items()[:1000])
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readOne("name", "file", bytes.NewReader(data))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "file:") {
				t.Errorf("error %q does not name the file", err)
			}
			return
		}
		lines := 0
		scanner := bufio.NewScanner(bytes.NewReader(data))
		scanner.Buffer(nil, len(data)+1)
		for scanner.Scan() {
			if strings.TrimSpace(scanner.Text()) != "" {
				lines++
			}
		}
		seen := map[string]bool{}
		for _, item := range got.Items {
			if item.ID == "" || seen[item.ID] || item.Prompt == "" || len(item.Choices) < 2 || slices.Contains(item.Choices, "") || item.Gold < 0 || item.Gold >= len(item.Choices) {
				t.Errorf("accepted %+v", item)
			}
			seen[item.ID] = true
			item.GradeChoice(make([]float64, len(item.Choices)))
		}
		if len(got.Items) != lines || lines == 0 {
			t.Errorf("%d items of %d lines", len(got.Items), lines)
		}
	})
}
