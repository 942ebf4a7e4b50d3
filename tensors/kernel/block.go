package kernel

import (
	"math"
	"sync"
)

// Linear is Multiply by a weight as checkpoints store it, which is packed for
// this one product, plus a bias, which may be nil:
//
//	dst[r][o] = sum over i of x[r][i] * weight[o][i] + bias[o]
//
// dst is [rows, out], x [rows, in], weight [out, in], bias [out].
func Linear(dst, x, weight, bias []float32, rows, in, out int) {
	check("weight of Linear", len(weight), out*in)
	p := packs.Get().(*Panels)
	defer packs.Put(p)
	p.Pack(weight, out, in)
	p.Multiply(dst, x, rows)
	if bias != nil {
		AddRow(dst, bias, rows)
	}
}

// packs keeps the memory of packed weights from one Linear to the next.
var packs = sync.Pool{New: func() any { return new(Panels) }}

// AddRow adds the same row to every row: dst[r] += row. dst is [rows, width],
// row [width].
func AddRow(dst, row []float32, rows int) {
	check("dst of AddRow", len(dst), rows*len(row))
	Parallel(rows, func(low, high int) {
		for r := low; r < high; r++ {
			line := dst[r*len(row) : (r+1)*len(row)]
			for i, v := range row {
				line[i] += v
			}
		}
	})
}

// RMSNorm scales each row to unit root mean square (Zhang and Sennrich,
// arXiv 1910.07467), as the Llama code of transformers computes it:
//
//	dst[r][i] = weight[i] * (x[r][i] / sqrt(mean of x[r]^2 + epsilon))
//
// dst and x are [rows, width], weight [width].
func RMSNorm(dst, x, weight []float32, epsilon float32, rows int) {
	width := len(weight)
	check("dst of RMSNorm", len(dst), rows*width)
	check("x of RMSNorm", len(x), rows*width)
	Parallel(rows, func(low, high int) {
		for r := low; r < high; r++ {
			row, out := x[r*width:(r+1)*width], dst[r*width:(r+1)*width]
			scale := float32(1 / math.Sqrt(float64(squares(row)/float32(width)+epsilon)))
			scaled(out, row, weight, scale)
		}
	})
}

// eightSquares adds to each sum the square of every eighth element.
func eightSquares(sums *[8]float32, x []float32) {
	whole := len(x) &^ 7
	for i := 0; i < whole; i += 8 {
		group := (*[8]float32)(x[i:])
		for j, v := range group {
			sums[j] += float32(v * v)
		}
	}
	for j, v := range x[whole:] {
		sums[j] += float32(v * v)
	}
}

// eightTotal adds up eight chains.
func eightTotal(sums *[8]float32) float32 {
	return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]))
}

func scaledPlain(dst, x, weight []float32, scale float32) {
	for i, v := range x {
		dst[i] = weight[i] * float32(v*scale)
	}
}

// RoPE rotates pairs of channels of each head by the token's position (Su et
// al., arXiv 2104.09864), with the halves of a head paired as in transformers'
// rotate_half:
//
//	dst[r][h][i]      = x[r][h][i]*cos[r][i] - x[r][h][i+half]*sin[r][i]
//	dst[r][h][i+half] = x[r][h][i+half]*cos[r][i] + x[r][h][i]*sin[r][i]
//
// for i < half; channels from 2*half on stay as they are. dst and x are [rows,
// heads*headDim], cos and sin [rows, half].
func RoPE(dst, x, cos, sin []float32, rows, heads, headDim, half int) {
	check("dst of RoPE", len(dst), rows*heads*headDim)
	check("x of RoPE", len(x), rows*heads*headDim)
	check("cos of RoPE", len(cos), rows*half)
	check("sin of RoPE", len(sin), rows*half)
	Parallel(rows, func(low, high int) {
		for r := low; r < high; r++ {
			c, s := cos[r*half:(r+1)*half], sin[r*half:(r+1)*half]
			for h := range heads {
				at := (r*heads + h) * headDim
				rotate(dst[at:at+2*half], x[at:at+2*half], c, s)
				copy(dst[at+2*half:at+headDim], x[at+2*half:])
			}
		}
	})
}

// rotatePlain rotates the channels from first on of one head.
func rotatePlain(dst, x, cos, sin []float32, first int) {
	half := len(cos)
	for i := first; i < half; i++ {
		a, b := x[i], x[half+i]
		dst[i] = float32(a*cos[i]) - float32(b*sin[i])
		dst[half+i] = float32(b*cos[i]) + float32(a*sin[i])
	}
}

// Add adds elements: dst[i] = a[i] + b[i].
func Add(dst, a, b []float32) {
	check("a of Add", len(a), len(dst))
	check("b of Add", len(b), len(dst))
	Parallel(len(dst), func(low, high int) { add(dst[low:high], a[low:high], b[low:high]) })
}

func addPlain(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

// LogSumExp returns log(sum of exp(values)) in float64, in nats, after
// subtracting the largest value. It is NaN if any value is.
func LogSumExp(values []float32) float64 {
	largest := math.Inf(-1)
	for _, v := range values {
		largest = max(largest, float64(v))
	}
	if math.IsInf(largest, 0) {
		return largest
	}
	var sum float64
	for _, v := range values {
		sum += math.Exp(float64(v) - largest)
	}
	return largest + math.Log(sum)
}

// ArgMax returns the index of the largest value; the lowest one among equals,
// as torch.argmax does on a CPU, and -1 if every value is NaN.
func ArgMax(values []float32) int {
	most, from := float32(math.Inf(-1)), -1
	for start := 0; start < len(values); start += argMaxPart {
		if m := largest(values[start:min(start+argMaxPart, len(values))]); m > most {
			most, from = m, start
		}
	}
	if from < 0 { // nothing but NaN and -Inf
		return argMaxPlain(values)
	}
	return from + argMaxPlain(values[from:min(from+argMaxPart, len(values))])
}

// argMaxPart is how many values are searched for their largest at once, and those
// among which it is then looked for.
const argMaxPart = 512

func argMaxPlain(values []float32) int {
	best := -1
	for i, v := range values {
		if v == v && (best < 0 || v > values[best]) {
			best = i
		}
	}
	return best
}
