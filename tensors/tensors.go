// Package tensors holds the two nouns of surgeon: a Source, a set of named
// tensors read a range at a time, and a Delta, a set of named differences that
// can be added to one.
//
// A program uses it in this order:
//
//  1. Open (or OpenFS) turns a .safetensors file, a shard index or a model
//     directory into a *Checkpoint, a memory-mapped Source. Nothing is read
//     but the headers, and a header that breaks a rule of the format is an
//     error that names file, tensor and rule.
//  2. Diff takes two Sources and gives their *Difference, a Delta, with the
//     list of tensors that could not be subtracted and why.
//  3. Other packages make new Sources from these (package merge) or measure
//     them (package drift); a merged model is a Source that has not been
//     written, so it is measured, scored and merged again like a file.
//  4. Conform shows one Source in the layout of another, where vocabularies
//     were resized or tensors are missing.
//  5. Write puts any Source on disk, in shards if it is large, into a
//     temporary place that is renamed when it is complete; a write that was
//     killed is resumed.
//
// Values and bytes are read by ranges in row-major order, so that nothing
// needs memory in proportion to a tensor. Values of 8 and 16 bits are widened
// to float32, which is exact; the arithmetic on wider ones is done in float64.
package tensors

import (
	"fmt"
	"reflect"
	"slices"
	"sync"

	"surgeon/tensors/kernel"
)

// Info describes one tensor: its stored type and its shape, outermost
// dimension first. A scalar has an empty shape and one element.
type Info struct {
	DType DType
	Shape []int
}

// Len returns the number of elements.
func (i Info) Len() int {
	n := 1
	for _, d := range i.Shape {
		n *= d
	}
	return n
}

// Bytes returns the number of bytes the tensor takes in a file.
func (i Info) Bytes() int64 {
	n, bits := int64(i.Len()), int64(i.DType.Bits())
	return n/8*bits + n%8*bits/8 // n*bits could overflow
}

// A Source is a set of named tensors. Its methods may be called by several
// goroutines at once.
type Source interface {
	// Names returns the names of all tensors, sorted. The caller must not
	// change the slice.
	Names() []string

	// Info describes a tensor, or reports that there is none of that name.
	Info(name string) (Info, bool)

	// ReadRaw copies the bytes at, at+1, ... at+len(dst)-1 of a tensor as a
	// file would hold it: row-major, little-endian, Info(name).Bytes() of
	// them in all. Where elements fill bytes, at and len(dst) are multiples
	// of their size.
	ReadRaw(dst []byte, name string, at int64) error

	// Read widens the elements from, from+1, ... from+len(dst)-1 of a tensor
	// into dst: exactly, but for F64, which is rounded to nearest. The
	// tensor's type must be a Float type.
	Read(dst []float32, name string, from int) error
}

// Same reports whether two Sources are one. Sources that cannot be compared are
// not.
func Same(a, b Source) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// lender is a Checkpoint, or what embeds one: it has the bytes of its tensors
// and need not copy them.
type lender interface {
	Raw(name string) ([]byte, error)
	view(name string, at, n int64, use func(raw []byte) error) error
}

// Raw returns all bytes of a tensor. They are read-only: a Checkpoint lends
// those of its mapped files.
func Raw(src Source, name string) ([]byte, error) {
	if l, ok := src.(lender); ok {
		return l.Raw(name)
	}
	var raw []byte
	if info, ok := src.Info(name); ok {
		raw = make([]byte, info.Bytes())
	}
	return raw, src.ReadRaw(raw, name, 0)
}

// View calls use with the bytes at, at+1, ... at+n-1 of a tensor, for as long as
// use runs: those of a mapped file without a copy, others from a buffer. Reading
// them may fault where a mapped file was truncated; View returns that as an
// error.
func View(src Source, name string, at, n int64, use func(raw []byte) error) error {
	if l, ok := src.(lender); ok {
		return l.view(name, at, n, use)
	}
	buffer := viewBuffers.Get().(*[]byte)
	defer viewBuffers.Put(buffer)
	*buffer = slices.Grow((*buffer)[:0], int(n))[:n]
	if err := src.ReadRaw(*buffer, name, at); err != nil {
		return err
	}
	return use(*buffer)
}

var viewBuffers = sync.Pool{New: func() any { return new([]byte) }}

// Read64 reads like Source.Read, exactly for every Float type.
func Read64(src Source, dst []float64, name string, from int) error {
	info, _ := src.Info(name)
	if info.DType == F64 {
		if err := info.checkRange(len(dst), from); err != nil { // before a product overflows
			return fmt.Errorf("tensor %s: %w", quote(name), err)
		}
		raw := make([]byte, 8*len(dst))
		if err := src.ReadRaw(raw, name, 8*int64(from)); err != nil {
			return err
		}
		kernel.DecodeF64(dst, raw)
		return nil
	}
	narrow := make([]float32, len(dst))
	if err := src.Read(narrow, name, from); err != nil {
		return err
	}
	for i, v := range narrow {
		dst[i] = float64(v)
	}
	return nil
}

// A Delta is a set of named differences between tensors: a fine-tune minus its
// base (the task vector of Ilharco et al., arXiv 2212.04089), a LoRA product,
// or either of them edited. Its methods may be called by several goroutines at
// once.
type Delta interface {
	// Names returns the names of all tensors that have a difference, sorted.
	// The caller must not change the slice.
	Names() []string

	// Info describes a difference, or reports that there is none of that
	// name: its shape, and the widest stored type that it was made from.
	Info(name string) (Info, bool)

	// AddTo adds alpha times the elements from, from+1, ... of a difference
	// to dst, in float32: dst[i] += alpha * delta[from+i]. An element whose
	// difference is zero leaves dst untouched, also where it holds -0.
	AddTo(dst []float32, name string, from int, alpha float32) error

	// AddTo64 does the same in float64.
	AddTo64(dst []float64, name string, from int, alpha float64) error
}

// Fit checks that a Source has every tensor that a Delta names, in the Delta's
// shape and of a Float type. The error names the first that does not fit.
func Fit(base Source, delta Delta) error {
	for _, name := range delta.Names() {
		d, _ := delta.Info(name)
		b, ok := base.Info(name)
		switch {
		case !ok:
			return fmt.Errorf("tensor %s is to be changed, but the base does not have it", quote(name))
		case !slices.Equal(b.Shape, d.Shape):
			return fmt.Errorf("tensor %s is to be changed as %v, but the base has it as %v", quote(name), d.Shape, b.Shape)
		case !b.DType.Float():
			return fmt.Errorf("tensor %s is to be changed, but its type %s in the base is not a number type", quote(name), b.DType)
		}
	}
	return nil
}
