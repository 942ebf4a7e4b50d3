package sensitivity

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"surgeon/probe/decoder"
	"surgeon/probe/train"
	"surgeon/tensors"
)

// Scrambled is a model that knows nothing: every tensor is drawn anew from a
// normal distribution of the tensor's own mean and standard deviation, but for
// norms, which are as they are. It is the control of Relearn: what it learns in so
// many steps was not remembered, so that steps which teach it prove nothing. (Of the
// embedded pair it tells none of what is to be refused after 20 steps, and after 40 it
// refuses three in four requests.) The same seed gives the same bits. An error means
// that a tensor could not be read or is not of the model.
func Scrambled(c decoder.Config, like tensors.Source, seed uint64) (*train.Weights, error) {
	if _, err := decoder.Open(c, like); err != nil { // every tensor is there, in its shape
		return nil, err
	}
	w := train.NewWeights()
	for _, t := range c.Tensors() {
		values := make([]float32, tensors.Info{Shape: t.Shape}.Len())
		if err := like.Read(values, t.Name, 0); err != nil {
			return nil, err
		}
		if !tensors.KeyOf(t.Name).Norm() {
			scramble(values, seed, t.Name)
		}
		w.Put(t.Name, t.Shape, values)
	}
	return w, nil
}

// scramble draws values of the same mean and standard deviation in the place of
// others, from a stream of the tensor's own.
func scramble(values []float32, seed uint64, name string) {
	mean, square := 0.0, 0.0
	for _, v := range values {
		mean += float64(v) / float64(len(values))
	}
	for _, v := range values {
		square += (float64(v) - mean) * (float64(v) - mean) / float64(len(values))
	}
	key := fnv.New64a()
	key.Write([]byte(name))
	draw, deviation := rand.New(rand.NewPCG(seed, key.Sum64())), math.Sqrt(square)
	for i := range values {
		values[i] = float32(mean + float64(deviation*draw.NormFloat64()))
	}
}
