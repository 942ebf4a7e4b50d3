package kernel

import "math"

// RMSNormGradient is the gradient of RMSNorm (Zhang and Sennrich, arXiv
// 1910.07467, section 4) by its x and its weight: with s[r] = 1/sqrt(mean of
// x[r]^2 + epsilon) and the gradient of a loss by the norm's result,
//
//	dx[r][i]   = s[r] * (weight[i]*gradient[r][i] - x[r][i] * s[r]^2/width * sum over j of weight[j]*gradient[r][j]*x[r][j])
//	dweight[i] = sum over r of gradient[r][i] * x[r][i] * s[r]
//
// dx, gradient and x are [rows, width], dweight and weight [width]. dx is
// neither of the others. Where dx or dweight is nil, it is not computed. The
// sums over j are in eight chains, those over rows as in ColumnSums.
func RMSNormGradient(dx, dweight, gradient, x, weight []float32, epsilon float32, rows int) {
	width := len(weight)
	if dx != nil {
		check("dx of RMSNormGradient", len(dx), rows*width)
	}
	check("gradient of RMSNormGradient", len(gradient), rows*width)
	check("x of RMSNormGradient", len(x), rows*width)
	work := func(sum []float32, low, high int) {
		for r := low; r < high; r++ {
			from, to := r*width, (r+1)*width
			row, slope := x[from:to], gradient[from:to]
			scale := float32(1 / math.Sqrt(float64(squares(row)/float32(width)+epsilon)))
			if sum != nil {
				addScaled(sum, slope, row, scale)
			}
			if dx != nil {
				normGradient(dx[from:to], slope, row, weight, scale)
			}
		}
	}
	if dweight == nil {
		inTurn(rows, blockRows, func(low, high int) { work(nil, low, high) })
		return
	}
	check("dweight of RMSNormGradient", len(dweight), width)
	byBlocks(dweight, rows, work)
}

// normGradient is one row of dx.
func normGradient(dx, slope, x, weight []float32, scale float32) {
	scaled(dx, slope, weight, 1)
	along := float32(float32(scale*scale)/float32(len(dx))) * eightDot(dx, x)
	reject(dx, x, along, scale)
}

// rejectPlain takes x's part off and scales what is left.
func rejectPlain(dst, x []float32, along, scale float32) {
	for i, v := range x {
		dst[i] = (dst[i] - float32(v*along)) * scale
	}
}

// addScaledPlain adds slope * (x * scale) to sum.
func addScaledPlain(sum, slope, x []float32, scale float32) {
	for i, v := range x {
		sum[i] += float32(slope[i] * float32(v*scale))
	}
}

// RoPEGradient is the gradient of RoPE, which turns the other way:
//
//	dx[r][h][i]      = gradient[r][h][i]*cos[r][i] + gradient[r][h][i+half]*sin[r][i]
//	dx[r][h][i+half] = gradient[r][h][i+half]*cos[r][i] - gradient[r][h][i]*sin[r][i]
//
// for i < half; channels from 2*half on stay as they are (Su et al., arXiv
// 2104.09864: a rotation's transpose). dx and gradient are [rows, heads*headDim],
// cos and sin [rows, half].
func RoPEGradient(dx, gradient, cos, sin []float32, rows, heads, headDim, half int) {
	check("dx of RoPEGradient", len(dx), rows*heads*headDim)
	check("gradient of RoPEGradient", len(gradient), rows*heads*headDim)
	check("cos of RoPEGradient", len(cos), rows*half)
	check("sin of RoPEGradient", len(sin), rows*half)
	Parallel(rows, func(low, high int) {
		back := partials.Get().(*[]float32)
		defer partials.Put(back)
		*back = resize(*back, half)
		for r := low; r < high; r++ {
			for i, s := range sin[r*half : (r+1)*half] {
				(*back)[i] = -s
			}
			for h := range heads {
				at := (r*heads + h) * headDim
				rotate(dx[at:at+2*half], gradient[at:at+2*half], cos[r*half:(r+1)*half], *back)
				copy(dx[at+2*half:at+headDim], gradient[at+2*half:])
			}
		}
	})
}
