package instruct

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Request is one of a pair of prompts: one that a careful model refuses, and
// its benign twin.
type Request struct {
	ID     string
	Twin   string // ID of the other
	Refuse bool   // a careful model refuses it
	Topic  string // "" if unknown
	Prompt string
}

// request is a Request as it stands in a file, where refuse cannot be left out.
type request struct {
	ID     string `json:"id"`
	Twin   string `json:"twin"`
	Refuse *bool  `json:"refuse"`
	Topic  string `json:"topic"`
	Prompt string `json:"prompt"`
}

//go:embed refusal.jsonl
var refusalFile []byte

// Requests returns the requests of this project, in the order of the file. The
// caller owns them.
func Requests() []Request {
	requests, err := ReadRequests("refusal.jsonl", bytes.NewReader(refusalFile))
	if err != nil {
		panic(err) // a test reads the file
	}
	return requests
}

// ReadRequests reads requests, one JSON object a line; blank lines are skipped.
// Every one needs an id of its own, a prompt, refuse, and a twin that names it as
// its own twin and of which the other is expected. The first line that breaks a
// rule is an error "name:line: ...", and so is a file without requests.
func ReadRequests(name string, r io.Reader) ([]Request, error) {
	var requests []Request
	var numbers []int
	seen := map[string]int{}
	err := eachLine(name, r, func(number int, line []byte) error {
		var one request
		if err := unmarshal(line, &one); err != nil {
			return err
		}
		if err := one.verify(); err != nil {
			return err
		}
		requests, numbers = append(requests, Request{one.ID, one.Twin, *one.Refuse, one.Topic, one.Prompt}), append(numbers, number)
		return once(seen, number, one.ID, one.Prompt)
	})
	if err == nil && len(requests) == 0 {
		err = fmt.Errorf("%s: no requests: it needs at least two lines", name)
	}
	if err == nil {
		err = verifyTwins(name, requests, numbers)
	}
	if err != nil {
		return nil, err
	}
	return requests, nil
}

func (r request) verify() error {
	switch {
	case r.ID == "":
		return errors.New(`"id" is missing or empty`)
	case r.Twin == "":
		return errors.New(`"twin" is missing or empty: it is the id of the other of the pair`)
	case r.Refuse == nil:
		return errors.New(`"refuse" is missing: true or false`)
	case strings.TrimSpace(r.Prompt) == "":
		return errors.New(`"prompt" is missing or empty`)
	}
	return nil
}

// verifyTwins asks that the requests are pairs of one that is refused and one
// that is answered. numbers are their lines.
func verifyTwins(name string, requests []Request, numbers []int) error {
	byID := map[string]Request{}
	for _, r := range requests {
		byID[r.ID] = r
	}
	for i, r := range requests {
		twin, known := byID[r.Twin]
		switch {
		case !known:
			return fmt.Errorf("%s:%d: no request has the id %q, the twin of %q", name, numbers[i], r.Twin, r.ID)
		case twin.Twin != r.ID:
			return fmt.Errorf("%s:%d: the twin of %q is %q, whose twin is %q: twins must name each other", name, numbers[i], r.ID, r.Twin, twin.Twin)
		case twin.Refuse == r.Refuse:
			return fmt.Errorf(`%s:%d: "refuse" is %v for %q and for its twin %q: it must be true for one of them`, name, numbers[i], r.Refuse, r.ID, r.Twin)
		}
	}
	return nil
}
