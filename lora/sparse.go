package lora

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/merge"
	"surgeon/tensors"
)

// Sparse are single elements of a tensor's difference: what the ranks of an
// extraction leave, where that is largest (as LyCORIS keeps it).
type Sparse struct {
	Tensor string
	Shape  []int     // of the tensor
	Index  []uint32  // in row-major order, ascending
	Values []float32 // to be added
}

// Remainder keeps, of what is left of a Delta d where another e stands for it, the
// largest elements: of every tensor that is named, this share of all, rounded down
// but at least one.
func Remainder(ctx context.Context, d, e tensors.Delta, names []string, share float64) ([]Sparse, error) {
	left, err := merge.Sum([]tensors.Delta{d, e}, []float64{1, -1})
	if err != nil {
		return nil, err
	}
	largest := merge.Trim(left, share)
	var list []Sparse
	for _, name := range names {
		info, _ := left.Info(name)
		if info.Len() > math.MaxUint32 {
			return nil, fmt.Errorf("tensor %q has %d elements: a remainder counts up to %d", name, info.Len(), uint32(math.MaxUint32))
		}
		s := Sparse{Tensor: name, Shape: info.Shape}
		buffer := make([]float32, min(info.Len(), residualBlock))
		for from := 0; from < info.Len(); from += len(buffer) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			part := buffer[:min(len(buffer), info.Len()-from)]
			clear(part)
			if err := largest.AddTo(part, name, from, 1); err != nil {
				return nil, err
			}
			for i, v := range part {
				if v != 0 {
					s.Index, s.Values = append(s.Index, uint32(from+i)), append(s.Values, v)
				}
			}
		}
		if len(s.Index) > 0 {
			list = append(list, s)
		}
	}
	return list, nil
}

// each calls add with the elements of a range.
func (s Sparse) each(from, n int, add func(i int, v float32)) {
	at, _ := slices.BinarySearch(s.Index, uint32(from))
	for ; at < len(s.Index) && int(s.Index[at]) < from+n; at++ {
		add(int(s.Index[at])-from, s.Values[at])
	}
}

// The file of remainders beside an adapter, which surgeon alone reads, and how it
// names them: of each tensor the indices, U32 [n], and the values, F32 [n]. The
// shape is that of the base.
const (
	remainderFile = RemainderFile
	indexSuffix   = ".remainder_index"
	valueSuffix   = ".remainder_value"
)

// remainders is a list of Sparse as a Source, to be written.
type remainders []Sparse

func (r remainders) find(name string) (s Sparse, index bool) {
	for _, s := range r {
		if name == s.Tensor+indexSuffix || name == s.Tensor+valueSuffix {
			return s, strings.HasSuffix(name, indexSuffix)
		}
	}
	return Sparse{}, false
}

// Names implements tensors.Source.
func (r remainders) Names() (list []string) {
	for _, s := range r {
		list = append(list, s.Tensor+indexSuffix, s.Tensor+valueSuffix)
	}
	slices.Sort(list)
	return list
}

// Info implements tensors.Source.
func (r remainders) Info(name string) (tensors.Info, bool) {
	s, index := r.find(name)
	if s.Tensor == "" {
		return tensors.Info{}, false
	}
	if index {
		return tensors.Info{DType: "U32", Shape: []int{len(s.Index)}}, true
	}
	return tensors.Info{DType: tensors.F32, Shape: []int{len(s.Values)}}, true
}

// ReadRaw implements tensors.Source.
func (r remainders) ReadRaw(dst []byte, name string, at int64) error {
	s, index := r.find(name)
	for i := range len(dst) / 4 {
		word := math.Float32bits(s.Values[int(at)/4+i])
		if index {
			word = s.Index[int(at)/4+i]
		}
		binary.LittleEndian.PutUint32(dst[4*i:], word)
	}
	return nil
}

// Read implements tensors.Source.
func (r remainders) Read(dst []float32, name string, from int) error {
	s, _ := r.find(name)
	copy(dst, s.Values[from:])
	return nil
}

// readRemainders reads such a file.
func readRemainders(file tensors.Source, path string) (list []Sparse, err error) {
	for _, name := range file.Names() {
		tensor, isIndex := strings.CutSuffix(name, indexSuffix)
		if !isIndex {
			if tensor, ok := strings.CutSuffix(name, valueSuffix); !ok || !has(file, tensor+indexSuffix) {
				return nil, fmt.Errorf("%s: tensor %q is no remainder: want pairs of %s and %s", path, name, indexSuffix[1:], valueSuffix[1:])
			}
			continue
		}
		info, _ := file.Info(name)
		values, ok := file.Info(tensor + valueSuffix)
		if !ok || info.DType != "U32" || values.DType != tensors.F32 || len(info.Shape) != 1 || !slices.Equal(info.Shape, values.Shape) {
			return nil, fmt.Errorf("%s: tensor %q: want U32 indices and as many F32 values", path, name)
		}
		s := Sparse{Tensor: tensor, Index: make([]uint32, info.Len()), Values: make([]float32, info.Len())}
		raw := make([]byte, info.Bytes())
		if err := file.ReadRaw(raw, name, 0); err != nil {
			return nil, err
		}
		for i := range s.Index {
			s.Index[i] = binary.LittleEndian.Uint32(raw[4*i:])
			if i > 0 && s.Index[i] <= s.Index[i-1] {
				return nil, fmt.Errorf("%s: tensor %q: index %d does not ascend", path, name, i)
			}
		}
		if err := file.Read(s.Values, tensor+valueSuffix, 0); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}
