// Package tensorstest proves implementations of tensors.Source and
// tensors.Delta and builds small models to prove them on.
//
//   - TestSource and TestDelta are the contract suites that every
//     implementation passes.
//   - Memory is a Source made of values in memory.
//   - Pico builds a two-layer model of the Llama family, as a whole model
//     directory: weights, config.json, a tokenizer and a few questions.
//
// Everything is a function of its arguments: the same seed gives the same
// bytes on every machine.
package tensorstest

import (
	"fmt"
	"slices"

	"surgeon/tensors"
)

// Memory is a Source in memory.
type Memory struct {
	names []string
	infos map[string]tensors.Info
	raw   map[string][]byte
}

// NewMemory returns an empty Source.
func NewMemory() *Memory {
	return &Memory{infos: map[string]tensors.Info{}, raw: map[string][]byte{}}
}

// Add adds a tensor, rounding the values to its type. It panics if their
// number is not what the shape asks for.
func (m *Memory) Add(name string, d tensors.DType, shape []int, values []float32) {
	info := tensors.Info{DType: d, Shape: shape}
	if len(values) != info.Len() {
		panic(fmt.Sprintf("tensorstest: %d values for shape %v", len(values), shape))
	}
	raw := make([]byte, info.Bytes())
	tensors.Round(raw, values, d)
	m.AddRaw(name, info, raw)
}

// AddRaw adds a tensor by its bytes.
func (m *Memory) AddRaw(name string, info tensors.Info, raw []byte) {
	if _, ok := m.infos[name]; !ok {
		m.names = append(m.names, name)
		slices.Sort(m.names)
	}
	m.infos[name], m.raw[name] = info, raw
}

// Names implements tensors.Source.
func (m *Memory) Names() []string { return m.names }

// Info implements tensors.Source.
func (m *Memory) Info(name string) (tensors.Info, bool) {
	info, ok := m.infos[name]
	return info, ok
}

// ReadRaw implements tensors.Source.
func (m *Memory) ReadRaw(dst []byte, name string, at int64) error {
	raw, ok := m.raw[name]
	if !ok {
		return fmt.Errorf("tensorstest: no tensor %q", name)
	}
	if at < 0 || at+int64(len(dst)) > int64(len(raw)) {
		return fmt.Errorf("tensorstest: tensor %q: bytes %d to %d of %d cannot be read", name, at, at+int64(len(dst))-1, len(raw))
	}
	copy(dst, raw[at:])
	return nil
}

// Read implements tensors.Source.
func (m *Memory) Read(dst []float32, name string, from int) error {
	info, ok := m.infos[name]
	if !ok {
		return fmt.Errorf("tensorstest: no tensor %q", name)
	}
	if !info.DType.Float() || from < 0 || from+len(dst) > info.Len() {
		return fmt.Errorf("tensorstest: tensor %q: elements %d to %d of %v %s cannot be read", name, from, from+len(dst)-1, info.Shape, info.DType)
	}
	size := info.DType.Size()
	tensors.Widen(dst, m.raw[name][from*size:(from+len(dst))*size], info.DType)
	return nil
}
