package cli

import (
	"fmt"
	"strings"
)

// badLine is a line that could not be answered, and why.
type badLine struct {
	number int
	error
}

// badLines are the lines that could not be answered, in their order, while the
// others were.
type badLines []badLine

// Error implements error.
func (b badLines) Error() string { return strings.Join(b.some(), "\n") }

// some says why, of the first ones, and names the others.
func (b badLines) some() (list []string) {
	const most = 10
	for _, line := range b[:min(len(b), most)] {
		list = append(list, line.Error())
	}
	if len(b) > most {
		list = append(list, fmt.Sprintf("%s more could not be answered: %s", plural(len(b)-most, "line"), b[most:].ranges()))
	}
	return list
}

// ranges are the numbers of the lines, those that follow each other as 3-5.
func (b badLines) ranges() string {
	var list []string
	for i := 0; i < len(b); {
		first := i
		for i++; i < len(b) && b[i].number == b[i-1].number+1; {
			i++
		}
		text := fmt.Sprint(b[first].number)
		if last := b[i-1].number; last > b[first].number {
			text += fmt.Sprint("-", last)
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

// report returns the lines as an error, or nil if there are none.
func (b badLines) report() error {
	if len(b) == 0 {
		return nil
	}
	return b
}
