package merge

import (
	"context"
	"fmt"
	"math"
)

// EffectiveAlpha is the alpha that the merged model really has after rounding
// to the stored type: the least-squares coefficient of what was changed on
// what the term would change,
//
//	sum (y-b)*d / sum d*d
//
// over all elements, with y as it would be written, b the base and d the
// term's delta. Small changes vanish below the stored type's resolution, so
// it can lie below the requested alpha; with an alpha by rule it is the mean
// weighted by d*d. It is NaN if the term changes nothing. It is defined for a
// model of one term and reads every tensor once, a block at a time; progress,
// which may be nil, counts bytes of base weights.
func (m *Model) EffectiveAlpha(ctx context.Context, progress func(done, total int64)) (float64, error) {
	if len(m.terms) != 1 {
		panic(fmt.Sprintf("merge: EffectiveAlpha of a model of %d terms", len(m.terms)))
	}
	var total, done int64
	names := m.terms[0].Delta.Names()
	for _, name := range names {
		info, _ := m.base.Info(name)
		total += info.Bytes()
	}
	var moved, full float64
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		a, b, err := m.project(name)
		if err != nil {
			return 0, err
		}
		moved, full = moved+a, full+b
		info, _ := m.base.Info(name)
		if done += info.Bytes(); progress != nil {
			progress(done, total)
		}
	}
	if full == 0 {
		return math.NaN(), nil
	}
	return moved / full, nil
}

// project returns sum (y-b)*d and sum d*d of one tensor, added block by block
// in order so that the threads do not show in the last bits.
func (m *Model) project(name string) (moved, full float64, err error) {
	info, _ := m.base.Info(name)
	n := info.Len()
	sums := make([][2]float64, (n+blockLen-1)/blockLen)
	err = eachBlock(n, func(from, n int) (err error) {
		sums[from/blockLen], err = m.projectBlock(name, from, n)
		return err
	})
	for _, s := range sums {
		moved, full = moved+s[0], full+s[1]
	}
	return moved, full, err
}

func (m *Model) projectBlock(name string, from, n int) (sums [2]float64, err error) {
	b, y, d := make([]float32, n), make([]float32, n), make([]float64, n)
	if err := m.base.Read(b, name, from); err != nil {
		return sums, err
	}
	if err := m.Read(y, name, from); err != nil {
		return sums, err
	}
	if err := m.terms[0].Delta.AddTo64(d, name, from, 1); err != nil {
		return sums, err
	}
	for i, v := range d {
		if v != 0 { // both sides may be the same infinity, whose y-b is not a number
			sums[0] += float64((float64(y[i]) - float64(b[i])) * v)
			sums[1] += float64(v * v)
		}
	}
	return sums, nil
}
