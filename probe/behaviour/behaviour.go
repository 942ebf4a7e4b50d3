// Package behaviour measures how far one model's behaviour is from another's, given
// what both made of the same prompts: the divergence of their next tokens, and how
// alike their hidden states are. It runs no model.
package behaviour

import (
	"fmt"
	"math"
)

// Divergence is KL(p || q) in nats of the distributions that two rows of logits
// stand for (Kullback and Leibler, 1951), in float64:
//
//	sum over tokens of p * (log p - log q)
//
// The slices are of one length, or it panics.
func Divergence(p, q []float32) float64 {
	if len(p) != len(q) {
		panic(fmt.Sprintf("behaviour: %d and %d logits", len(p), len(q)))
	}
	a, b, sum := normaliser(p), normaliser(q), 0.0
	for i := range p {
		logP := float64(p[i]) - a
		sum += math.Exp(logP) * (logP - (float64(q[i]) - b))
	}
	return max(0, sum)
}

// normaliser is the logarithm of the sum of exponentials.
func normaliser(logits []float32) float64 {
	most, sum := math.Inf(-1), 0.0
	for _, v := range logits {
		most = max(most, float64(v))
	}
	for _, v := range logits {
		sum += math.Exp(float64(v) - most)
	}
	return most + math.Log(sum)
}

// Alignment is linear CKA (Kornblith et al., arXiv 1905.00414, equation 6) of two
// sets of hidden states, a row for each prompt, [prompts, width] each:
//
//	||X'Y||_F^2 / (||X'X||_F ||Y'Y||_F), columns centred
//
// from the prompts' Gram matrices, so that its cost is of their number. It is 1 for
// states that a rotation and a scale make equal, and NaN where a set does not vary.
// It panics for sets of different numbers of prompts.
func Alignment(x, y [][]float64) float64 {
	if len(x) != len(y) {
		panic(fmt.Sprintf("behaviour: states of %d and %d prompts", len(x), len(y)))
	}
	k, l := gram(x), gram(y)
	return dot(k, l) / math.Sqrt(dot(k, k)*dot(l, l))
}

// gram is the Gram matrix of rows, after each column's mean was taken away.
func gram(rows [][]float64) [][]float64 {
	n := len(rows)
	g := make([][]float64, n)
	for i := range g {
		g[i] = make([]float64, n)
		for j := range n {
			for c, v := range rows[i] {
				g[i][j] += v * rows[j][c]
			}
		}
	}
	// Centring the columns of X is centring its Gram matrix on both sides.
	means, all := make([]float64, n), 0.0
	for i := range g {
		for _, v := range g[i] {
			means[i] += v / float64(n)
		}
		all += means[i] / float64(n)
	}
	for i := range g {
		for j := range g[i] {
			g[i][j] += all - means[i] - means[j]
		}
	}
	return g
}

func dot(a, b [][]float64) (sum float64) {
	for i := range a {
		for j, v := range a[i] {
			sum += v * b[i][j]
		}
	}
	return sum
}
