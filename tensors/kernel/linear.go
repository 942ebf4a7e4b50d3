package kernel

// The tile of Linear: tileRows x tileColumns sums are kept in registers while
// the inner dimension runs, so that each loaded value is used several times.
const (
	tileRows    = 4
	tileColumns = 3
)

// linearColumnsPlain computes the columns low to high of Linear, without bias, on
// any processor.
func linearColumnsPlain(dst, x, weight []float32, rows, in, out, low, high int) {
	column := low
	for ; column+tileColumns <= high; column += tileColumns {
		w0 := weight[column*in : (column+1)*in]
		w1 := weight[(column+1)*in : (column+2)*in]
		w2 := weight[(column+2)*in : (column+3)*in]
		row := 0
		for ; row+tileRows <= rows; row += tileRows {
			tile(dst[row*out+column:], x[row*in:(row+tileRows)*in], w0, w1, w2, in, out)
		}
		for ; row < rows; row++ {
			a := x[row*in : (row+1)*in]
			dst[row*out+column] = dot(a, w0)
			dst[row*out+column+1] = dot(a, w1)
			dst[row*out+column+2] = dot(a, w2)
		}
	}
	for ; column < high; column++ {
		w := weight[column*in : (column+1)*in]
		for row := range rows {
			dst[row*out+column] = dot(x[row*in:(row+1)*in], w)
		}
	}
}

// dot is the specification of every element of Linear: one chain of sums.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var sum float32
	for i, v := range a {
		sum += float32(v * b[i])
	}
	return sum
}

// tile computes four rows times three columns, each sum in the order of dot.
// x is [4, in], dst starts at the tile's first element and has rows of out.
func tile(dst, x, w0, w1, w2 []float32, in, out int) {
	a, b, c, d := x[:in], x[in:2*in], x[2*in:3*in], x[3*in:4*in]
	b, c, d = b[:len(a)], c[:len(a)], d[:len(a)]
	w0, w1, w2 = w0[:len(a)], w1[:len(a)], w2[:len(a)]
	var a0, a1, a2, b0, b1, b2, c0, c1, c2, d0, d1, d2 float32
	for i, v := range a {
		u0, u1, u2 := w0[i], w1[i], w2[i]
		a0 += float32(v * u0)
		a1 += float32(v * u1)
		a2 += float32(v * u2)
		v = b[i]
		b0 += float32(v * u0)
		b1 += float32(v * u1)
		b2 += float32(v * u2)
		v = c[i]
		c0 += float32(v * u0)
		c1 += float32(v * u1)
		c2 += float32(v * u2)
		v = d[i]
		d0 += float32(v * u0)
		d1 += float32(v * u1)
		d2 += float32(v * u2)
	}
	dst[0], dst[1], dst[2] = a0, a1, a2
	dst[out], dst[out+1], dst[out+2] = b0, b1, b2
	dst[2*out], dst[2*out+1], dst[2*out+2] = c0, c1, c2
	dst[3*out], dst[3*out+1], dst[3*out+2] = d0, d1, d2
}
