// Package lora reads low-rank adapters. An *Adapter is a tensors.Delta: it is
// measured, swept and merged like the difference of a whole fine-tune, without
// ever being multiplied out as a whole.
//
// Open reads a directory as PEFT saves it, adapter_config.json and
// adapter_model.safetensors, with plain or rank-stabilised LoRA on linear
// modules; whatever else such a directory may hold is refused by name.
// tensors.Fit checks an adapter against the base it is for.
package lora

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"surgeon/tensors"
)

const (
	configFile = "adapter_config.json"
	weightFile = "adapter_model.safetensors"
)

// Adapter is the Delta scale * B A of each adapted module.
type Adapter struct {
	Path  string
	Rank  int
	Scale float64 // lora_alpha/r, or lora_alpha/sqrt(r) with use_rslora

	names   []string // of the base's tensors, sorted
	modules map[string]module
}

// module are the factors of one weight.
type module struct {
	a, b          []float32 // [rank, in], [out, rank]
	rank, in, out int
}

// Is reports whether a directory holds an adapter.
func Is(dir fs.FS) bool {
	_, err := fs.Stat(dir, configFile)
	return err == nil
}

// Open reads an adapter. Its factors, a few per cent of the base's size, are
// kept in memory. Errors name the file and the field or tensor.
func Open(dir string) (*Adapter, error) { return OpenFS(os.DirFS(dir), dir) }

// OpenFS is Open of a file system that is such a directory. The name is what
// errors call it.
func OpenFS(dir fs.FS, name string) (*Adapter, error) {
	path := filepath.Join(name, configFile)
	data, err := fs.ReadFile(dir, configFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	c, err := parseConfig(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	path = filepath.Join(name, weightFile)
	file, err := tensors.OpenFile(dir, weightFile, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	a := &Adapter{Path: name, Rank: c.Rank, Scale: c.scale(), modules: map[string]module{}}
	if err := a.read(file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// cause is the reason of an error of a file, without the file.
func cause(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// Names of the tensors of a factor pair around the module's name.
const (
	prefix  = "base_model.model."
	suffixA = ".lora_A.weight"
	suffixB = ".lora_B.weight"
)

// read pairs the factors.
func (a *Adapter) read(file tensors.Source) error {
	for _, name := range file.Names() {
		short, ok := strings.CutPrefix(name, prefix)
		if !ok {
			return fmt.Errorf("tensor %q does not begin with %q", name, prefix)
		}
		if short, ok = strings.CutSuffix(short, suffixA); !ok {
			if partner, isB := strings.CutSuffix(name, suffixB); isB && has(file, partner+suffixA) {
				continue
			}
			return fmt.Errorf("tensor %q is not supported: surgeon reads pairs of %s and %s", name, suffixA[1:], suffixB[1:])
		}
		m, err := a.pair(file, name, prefix+short+suffixB)
		if err != nil {
			return err
		}
		a.modules[short+".weight"] = m
		a.names = append(a.names, short+".weight")
	}
	if len(a.names) == 0 {
		return errors.New("holds no factors")
	}
	slices.Sort(a.names)
	return nil
}

func has(file tensors.Source, name string) bool {
	_, ok := file.Info(name)
	return ok
}

func (a *Adapter) pair(file tensors.Source, nameA, nameB string) (module, error) {
	infoA, _ := file.Info(nameA)
	infoB, ok := file.Info(nameB)
	if !ok {
		return module{}, fmt.Errorf("tensor %q has no partner %q", nameA, nameB)
	}
	if len(infoA.Shape) != 2 || len(infoB.Shape) != 2 || infoA.Shape[0] != a.Rank || infoB.Shape[1] != a.Rank {
		return module{}, fmt.Errorf("tensors %q and %q have shapes %v and %v: rank %d asks for [%d in] and [out %d]",
			nameA, nameB, infoA.Shape, infoB.Shape, a.Rank, a.Rank, a.Rank)
	}
	m := module{a: make([]float32, infoA.Len()), b: make([]float32, infoB.Len()), rank: a.Rank, in: infoA.Shape[1], out: infoB.Shape[0]}
	if err := file.Read(m.a, nameA, 0); err != nil {
		return module{}, err
	}
	return m, file.Read(m.b, nameB, 0)
}

// Parameters returns the number of values in all factors.
func (a *Adapter) Parameters() int64 {
	var n int64
	for _, m := range a.modules {
		n += int64(len(m.a) + len(m.b))
	}
	return n
}

// Names implements tensors.Delta.
func (a *Adapter) Names() []string { return a.names }

// Info implements tensors.Delta: factors count as 32-bit values, so that what
// they are added to is merged in float64.
func (a *Adapter) Info(name string) (tensors.Info, bool) {
	m, ok := a.modules[name]
	if !ok {
		return tensors.Info{}, false
	}
	return tensors.Info{DType: tensors.F32, Shape: []int{m.out, m.in}}, true
}

// AddTo implements tensors.Delta: dst[o*in+i] += alpha * scale * sum over r of
// B[o][r]*A[r][i]. The sum is in float64 and rounded to float32 before alpha
// is applied.
func (a *Adapter) AddTo(dst []float32, name string, from int, alpha float32) error {
	return a.each(name, from, len(dst), func(i int, d float64) { dst[i] += float32(alpha * float32(d)) })
}

// AddTo64 implements tensors.Delta, without that rounding.
func (a *Adapter) AddTo64(dst []float64, name string, from int, alpha float64) error {
	return a.each(name, from, len(dst), func(i int, d float64) { dst[i] += float64(alpha * d) })
}

// each computes n elements of a module's difference, a row at a time, and
// calls add with those that are not zero.
func (a *Adapter) each(name string, from, n int, add func(i int, d float64)) error {
	m, ok := a.modules[name]
	if !ok {
		return fmt.Errorf("%s: does not adapt tensor %q", a.Path, name)
	}
	if from < 0 || n > m.out*m.in-from {
		return fmt.Errorf("%s: tensor %q: elements %d to %d are outside shape [%d %d]", a.Path, name, from, from+n-1, m.out, m.in)
	}
	row := make([]float64, m.in)
	for done := 0; done < n; {
		o, low := (from+done)/m.in, (from+done)%m.in
		high := min(m.in, low+n-done)
		m.row(row[low:high], o, low, a.Scale)
		for i := low; i < high; i++ {
			if row[i] != 0 {
				add(done+i-low, row[i])
			}
		}
		done += high - low
	}
	return nil
}

// row computes the columns low.. of row o of scale * B A.
func (m module) row(dst []float64, o, low int, scale float64) {
	clear(dst)
	for r := range m.rank {
		b := scale * float64(m.b[o*m.rank+r])
		for i, v := range m.a[r*m.in+low : r*m.in+low+len(dst)] {
			dst[i] += float64(b * float64(v))
		}
	}
}
