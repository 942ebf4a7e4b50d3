package lora

import (
	"sync"

	"surgeon/tensors/kernel"
)

// product multiplies rows of a product. Its right factor is packed when it is first
// needed.
type product struct {
	LowRank
	once  sync.Once
	right kernel.Panels
	left  []float32 // [rows of the tensor, Rank]
}

// addTo adds elements of Scale * B A, as they lie in the tensor.
func (p *product) addTo(values []float64, from int) {
	rows, columns := p.shape()
	if p.Rank == 0 || len(values) == 0 {
		return
	}
	p.once.Do(func() {
		if p.Layout == Linear {
			p.left = p.B
			p.right.PackTransposed(p.A, columns, p.Rank)
			return
		}
		p.left = make([]float32, rows*p.Rank)
		for r := range p.Rank {
			for i := range rows {
				p.left[i*p.Rank+r] = p.A[r*rows+i]
			}
		}
		p.right.Pack(p.B, columns, p.Rank)
	})
	low, high := from/columns, (from+len(values)-1)/columns+1
	whole := make([]float32, (high-low)*columns)
	p.right.Multiply(whole, p.left[low*p.Rank:high*p.Rank], high-low)
	for i, v := range whole[from-low*columns:][:len(values)] {
		values[i] += float64(p.Scale * float64(v))
	}
}
