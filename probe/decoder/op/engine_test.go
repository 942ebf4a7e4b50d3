package op_test

import (
	"reflect"
	"testing"

	"gorgonia.org/tensor"

	"surgeon/probe/decoder/op"
)

// TestEngine adds what the engine adds itself and what it leaves to gorgonia: the
// same values, in the memory that was given.
func TestEngine(t *testing.T) {
	filled := func(scale float32, shape ...int) *tensor.Dense {
		values := make([]float32, tensor.Shape(shape).TotalSize())
		for i := range values {
			values[i] = scale * float32(i+1) / 3
		}
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values), tensor.WithEngine(op.Engine{}))
	}
	for _, shape := range [][]int{{37, 41}, {1, 1}, {5}, {2, 3, 4}} {
		a, b, reused := filled(1, shape...), filled(-7, shape...), filled(0, shape...)
		want := make([]float32, tensor.Shape(shape).TotalSize())
		for i := range want {
			want[i] = a.Data().([]float32)[i] + b.Data().([]float32)[i]
		}
		check := func(what string, opts ...tensor.FuncOpt) tensor.Tensor {
			t.Helper()
			sum, err := tensor.Add(a, b, opts...)
			if err != nil || !reflect.DeepEqual(sum.Data(), any(want)) || !sum.Shape().Eq(tensor.Shape(shape)) {
				t.Errorf("%v, %s: %v, %v", shape, what, sum, err)
			}
			return sum
		}
		check("new memory")
		if sum := check("given memory", tensor.WithReuse(reused)); sum != tensor.Tensor(reused) {
			t.Errorf("%v: the sum is not in the memory that was given", shape)
		}
	}
	// What is added to memory that holds something already.
	incremented := filled(1, 37, 41)
	if _, err := tensor.Add(filled(2, 37, 41), filled(3, 37, 41), tensor.WithIncr(incremented)); err != nil || incremented.Data().([]float32)[5] != float32(6)/3+float32(12)/3+float32(18)/3 {
		t.Errorf("incremented: %v, %v", incremented.Data().([]float32)[5], err)
	}
}
