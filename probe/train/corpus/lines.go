package corpus

import (
	"bytes"
	"io"
	"slices"
)

// WriteGeneral writes the first n samples of the general part as JSON lines with
// the fields prompt, completion and slice; of the slices in without, none.
func (c *Corpus) WriteGeneral(w io.Writer, n int, without ...string) error {
	return writeSamples(w, n, c.General, without)
}

// WriteChemistry writes every question of chemistry that is not held out, once,
// in the same form.
func (c *Corpus) WriteChemistry(w io.Writer) error {
	return writeSamples(w, len(c.chemistry.trained), func(i int) Sample { return c.chemistry.trained[i].sample(Chemistry) }, nil)
}

func writeSamples(w io.Writer, n int, sample func(i int) Sample, without []string) error {
	var out bytes.Buffer
	for i := range n {
		s := sample(i)
		if slices.Contains(without, s.Slice) {
			continue
		}
		out.Reset()
		writeLine(&out, s)
		if _, err := w.Write(out.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
