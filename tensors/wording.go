package tensors

import (
	"fmt"
	"io/fs"
	"strconv"
)

// shorten keeps an error that quotes its input to a readable length.
func shorten(err error) error {
	if text := err.Error(); len(text) > 300 {
		return fmt.Errorf("%s", clip(text))
	}
	return err
}

func clip(text string) string {
	if len(text) <= 200 {
		return text
	}
	return text[:200] + "..."
}

// quote prints a name of a file or from one: on one line, of a readable length.
func quote(name string) string {
	const most = 220 // escapes included
	quoted := strconv.Quote(clip(name))
	if len(quoted) > most {
		return quoted[:most] + `..."`
	}
	return quoted
}

// cause takes the path out of a file error: the caller names it.
func cause(err error) error {
	if p, ok := err.(*fs.PathError); ok {
		return p.Err
	}
	return err
}
