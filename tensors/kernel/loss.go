package kernel

import (
	"fmt"
	"math"
)

// lossChunk is the number of logits whose exponentials are added up in float32,
// and that stay in the first cache.
const lossChunk = 1024

// CrossEntropy is the negative log-likelihood of a target under the softmax of a
// row of logits, in nats, and its gradient (Bridle, 1990):
//
//	loss[r]       = weights[r] * (log(sum over j of exp(logits[r][j])) - logits[r][targets[r]])
//	dlogits[r][j] = weights[r] * (softmax(logits[r])[j] - 1 where j is targets[r])
//
// logits and dlogits are [rows, vocabulary], the others [rows]. dlogits may be
// nil, or logits itself. A row of weight 0 has loss and gradient 0, whatever its
// logits and its target. A target beside the vocabulary is a programmer's mistake.
//
// Exponentials are of float32, after subtracting the largest logit; their sum is
// of float64 over the sums of each 1024, which are in eight chains of float32.
func CrossEntropy(loss []float64, dlogits, logits []float32, targets []int32, weights []float32) {
	rows := len(loss)
	check("targets of CrossEntropy", len(targets), rows)
	width := vocabulary("CrossEntropy", rows, dlogits, logits, weights)
	for r, w := range weights {
		if t := int(targets[r]); w != 0 && (t < 0 || t >= width) {
			panic(fmt.Sprintf("kernel: target %d of row %d of CrossEntropy is not below the vocabulary of %d", t, r, width))
		}
	}
	inTurn(rows, 1, func(r, _ int) {
		row, into := logits[r*width:(r+1)*width], part(dlogits, r, width)
		if weights[r] == 0 {
			loss[r] = 0
			clear(into)
			return
		}
		t, w := targets[r], weights[r]
		most, at := largest(row), row[t]
		sum := expSum(into, row, most)
		loss[r] = float64(w) * (math.Log(sum) - (float64(at) - float64(most)))
		if into != nil {
			multiply(into, float32(float64(w)/sum))
			into[t] -= w
		}
	})
}

// Divergence is that of the softmax of a student's logits from a teacher's
// (Kullback and Leibler, 1951), in nats, and its gradient by the student's
// (Hinton et al., arXiv 1503.02531, section 2, at temperature 1): with p the
// teacher's softmax and q the student's,
//
//	loss[r]       = weights[r] * sum over j of p[r][j] * log(p[r][j] / q[r][j])
//	dlogits[r][j] = weights[r] * (q[r][j] - p[r][j])
//
// dlogits, student and teacher are [rows, vocabulary], the others [rows]. dlogits
// may be nil, or student. A row of weight 0 has loss and gradient 0. Sums, also that
// of the loss, are those of CrossEntropy.
func Divergence(loss []float64, dlogits, student, teacher []float32, weights []float32) {
	rows := len(loss)
	width := vocabulary("Divergence", rows, dlogits, student, weights)
	check("teacher of Divergence", len(teacher), rows*width)
	inTurn(rows, 1, func(r, _ int) {
		if weights[r] == 0 {
			loss[r] = 0
			clear(part(dlogits, r, width))
			return
		}
		loss[r] = divergence(part(dlogits, r, width), student[r*width:(r+1)*width], teacher[r*width:(r+1)*width], weights[r])
	})
}

// divergence is one row of Divergence.
func divergence(into, student, teacher []float32, weight float32) float64 {
	mostP, mostQ := largest(teacher), largest(student)
	sumP, sumQ := expSum(nil, teacher, mostP), expSum(nil, student, mostQ)
	shareP, shareQ := float32(1/sumP), float32(1/sumQ)
	// The logarithm of p/q is the difference of the logits less that of their sums.
	shift := float32((float64(mostP) + math.Log(sumP)) - (float64(mostQ) + math.Log(sumQ)))
	var total float64
	var p, q [lossChunk]float32
	for start := 0; start < len(student); start += lossChunk {
		s := student[start:min(start+lossChunk, len(student))]
		t, p, q := teacher[start:][:len(s)], p[:len(s)], q[:len(s)]
		copy(p, t)
		exponentials(p, mostP)
		multiply(p, shareP)
		for i, v := range s {
			q[i] = t[i] - v - shift
		}
		total += float64(eightDot(p, q))
		if into == nil {
			continue
		}
		copy(q, s)
		exponentials(q, mostQ)
		multiply(q, shareQ)
		into := into[start:][:len(s)]
		for i := range into {
			into[i] = weight * (q[i] - p[i])
		}
	}
	return float64(weight) * total
}

// vocabulary is the length of a row, and checks the lengths that two losses have
// in common.
func vocabulary(of string, rows int, dlogits, logits, weights []float32) (width int) {
	check("weights of "+of, len(weights), rows)
	if rows > 0 {
		width = len(logits) / rows
	}
	check("logits of "+of, len(logits), rows*width)
	if dlogits != nil {
		check("dlogits of "+of, len(dlogits), len(logits))
	}
	return width
}

// part is row r of a matrix, or nil of nil.
func part(matrix []float32, r, width int) []float32 {
	if matrix == nil {
		return nil
	}
	return matrix[r*width : (r+1)*width]
}

// expSum is the sum of exp(v - most) over values. It writes the exponentials to
// dst, unless that is nil.
func expSum(dst, values []float32, most float32) (sum float64) {
	var chunk [lossChunk]float32
	for start := 0; start < len(values); start += lossChunk {
		end := min(start+lossChunk, len(values))
		e := chunk[:end-start]
		if dst != nil {
			e = dst[start:end]
		}
		copy(e, values[start:end])
		exponentials(e, most)
		sum += float64(eightSum(e))
	}
	return sum
}
