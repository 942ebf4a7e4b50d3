package merge

import (
	"fmt"
	"math"

	"surgeon/tensors"
)

// Precision tells how well a model's weights are known: of the elements from,
// from+1, ... of a tensor, one finite number of at least 0 each, such as a diagonal
// Fisher information. Only their sizes beside those of another Precision matter. ok
// is false where there are none of a tensor.
type Precision func(dst []float64, tensor string, from int) (ok bool, err error)

// PrecisionOf reads precisions from a Source, which has tensors of the names and
// sizes of the model's.
func PrecisionOf(src tensors.Source) Precision {
	return func(dst []float64, tensor string, from int) (bool, error) {
		if info, ok := src.Info(tensor); !ok || !info.DType.Float() {
			return false, nil
		}
		return true, tensors.Read64(src, dst, tensor, from)
	}
}

// Fisher is the Fisher-weighted average of a base W0 and a tuned model W1 = W0 + D
// (Matena and Raffel, arXiv 2111.09832, equation 4), with the precisions F0 of the
// base on general examples and F1 of the tuned model on those of its domain:
//
//	W = ((1-w) F0 W0 + w F1 W1) / ((1-w) F0 + w F1) = W0 + w F1 / ((1-w) F0 + w F1) * D
//
// element by element, as the change to the base, which therefore need not be
// known. Where both precisions are 0, and in tensors of which one of them has none,
// it is W0 + w D. Weight 0 leaves the base, to the byte, and weight 1 is the tuned
// Delta itself. Other weights than from 0 to 1 panic; an error names the element
// whose precision is no number from 0 on.
func Fisher(tuned tensors.Delta, general, domain Precision, weight float64) tensors.Delta {
	switch {
	case !(weight >= 0 && weight <= 1):
		panic(fmt.Sprintf("merge: a weight of %v between base and tuned model", weight))
	case weight == 1:
		return tuned
	}
	return &fisher{tuned, general, domain, weight}
}

// fisher implements tensors.Delta.
type fisher struct {
	tensors.Delta
	general, domain Precision
	weight          float64
}

// AddTo implements tensors.Delta.
func (f *fisher) AddTo(dst []float32, name string, from int, alpha float32) error {
	return f.each(name, from, len(dst), func(i int, v float64) { dst[i] += float32(float64(alpha) * v) })
}

// AddTo64 implements tensors.Delta.
func (f *fisher) AddTo64(dst []float64, name string, from int, alpha float64) error {
	return f.each(name, from, len(dst), func(i int, v float64) { dst[i] += float64(alpha * v) })
}

// each calls add with the elements that are not zero.
func (f *fisher) each(name string, from, n int, add func(i int, v float64)) error {
	change := make([]float64, n)
	if err := f.Delta.AddTo64(change, name, from, 1); err != nil {
		return err
	}
	shares, err := f.shares(name, from, n)
	if err != nil {
		return err
	}
	for i, v := range change {
		if share := shares[i]; share != 0 && v != 0 { // 0 of what is not finite is nothing
			add(i, share*v)
		}
	}
	return nil
}

// shares are w F1 / ((1-w) F0 + w F1), from 0 to 1.
func (f *fisher) shares(name string, from, n int) ([]float64, error) {
	general, domain := make([]float64, n), make([]float64, n)
	if f.weight == 0 {
		return domain, nil
	}
	known := true
	for _, side := range []struct {
		what  string
		read  Precision
		value []float64
	}{{"general", f.general, general}, {"domain", f.domain, domain}} {
		ok, err := side.read(side.value, name, from)
		if err != nil {
			return nil, err
		}
		known = known && ok
		for i, v := range side.value {
			if ok && !(v >= 0 && v <= math.MaxFloat64) {
				return nil, fmt.Errorf("tensor %q: the %s precision of element %d is %v: want a finite number of at least 0", name, side.what, from+i, v)
			}
		}
	}
	for i, f1 := range domain {
		f0, largest := general[i], max(general[i], f1)
		switch {
		case !known || largest == 0:
			domain[i] = f.weight
		default: // divided by the larger one, so that no sum overflows
			f0, f1 = float64((1-f.weight)*(f0/largest)), float64(f.weight*(f1/largest))
			domain[i] = f1 / (f0 + f1)
		}
	}
	return domain, nil
}
