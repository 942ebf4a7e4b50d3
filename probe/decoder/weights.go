package decoder

import (
	"fmt"
	"slices"
	"surgeon/tensors"
	"surgeon/tensors/kernel"

	"gorgonia.org/gorgonia"
)

// Names of the tensors outside the blocks.
const (
	embedName = "model.embed_tokens.weight"
	normName  = "model.norm.weight"
	headName  = "lm_head.weight"
)

// weights lists every tensor of a model as it is stored.
func (c Config) weights() []weight {
	list := []weight{{name: embedName, shape: []int{c.Vocabulary, c.Hidden}}, {name: normName, shape: []int{c.Hidden}}}
	if !c.Tied {
		list = append(list, weight{name: headName, shape: []int{c.Vocabulary, c.Hidden}})
	}
	for layer := range c.Layers {
		for _, w := range c.storedWeights() {
			list = append(list, weight{name: blockName(layer, w.name), shape: w.shape})
		}
	}
	return list
}

// Tensor is a tensor that a model has.
type Tensor struct {
	Name  string
	Shape []int
}

// Tensors lists the tensors of a model as checkpoints store them: embedding,
// last norm, head, then the blocks.
func (c Config) Tensors() (list []Tensor) {
	for _, w := range c.weights() {
		list = append(list, Tensor{w.name, w.shape})
	}
	return list
}

func blockName(layer int, name string) string { return fmt.Sprintf("model.layers.%d.%s", layer, name) }

func (m *Model) expect(name string, shape []int) error {
	info, ok := m.source.Info(name)
	if !ok {
		return fmt.Errorf("tensor %q is missing: config.json asks for one of shape %v", name, shape)
	}
	if !slices.Equal(info.Shape, shape) {
		return fmt.Errorf("tensor %q has shape %v: config.json asks for %v", name, info.Shape, shape)
	}
	if !info.DType.Float() {
		return fmt.Errorf("tensor %q has type %s, which is not a number type", name, info.DType)
	}
	return nil
}

// PackedBytes is the memory of all matrices as they are packed.
func (m *Model) PackedBytes() int64 {
	total := int64(0)
	count := func(name string, shape []int) {
		if len(shape) == 2 {
			info, _ := m.source.Info(name)
			total += kernel.PanelsBytes(shape[0], shape[1], info.DType == tensors.BF16)
		}
	}
	for layer := range m.config.Layers {
		for _, w := range m.config.blockWeights() {
			count(blockName(layer, w.tensor()), w.shape)
		}
	}
	count(m.headName(), []int{m.config.Vocabulary, m.config.Hidden})
	return total
}

// Keep keeps every weight in memory from its first use on, PackedBytes in all,
// instead of reading it for each pass over the layers.
func (m *Model) Keep() {
	if !m.keep { // in memory of its own: a workspace may be shared
		m.keepIn(new(workspace))
	}
}

// keepIn is Keep in the memory of a workspace that no other model uses any more.
func (m *Model) keepIn(space *workspace) {
	m.keep, m.space, m.blocks, m.heads, m.final = true, space, map[int]*graph{}, map[int]*graph{}, nil
}

// leave gives the workspace of keepIn to the next model.
func (m *Model) leave() {
	m.keepIn(new(workspace))
	m.keep = false
	clear(m.layers)
}

// Budget fits a model into so many bytes: its weights are kept if they leave a
// quarter for the keys and values of generations. It returns what is left for
// those, or a quarter where weights are not kept.
func (m *Model) Budget(memory int64) (cache int64) {
	if packed := m.PackedBytes(); packed <= memory/4*3 {
		m.Keep()
		return memory - packed
	}
	return memory / 4
}

// layer reads the weights of one block, or has them.
func (m *Model) layer(layer int) (map[string]gorgonia.Value, error) {
	if m.layers[layer] != nil {
		return m.layers[layer], nil
	}
	weights := map[string]gorgonia.Value{}
	for _, w := range m.config.blockWeights() {
		name, buffer := blockName(layer, w.tensor()), w.name
		if m.keep {
			buffer = blockName(layer, w.name)
		}
		t, err := m.load(buffer, name, w)
		if err != nil {
			return nil, err
		}
		weights[w.name] = t
	}
	if m.keep {
		m.layers[layer] = weights
	}
	return weights, nil
}

// readFinal reads the weights behind the blocks, which are kept until another
// model of the workspace needs its own.
func (m *Model) readFinal() error {
	if m.final != nil && m.space.final == m {
		return nil
	}
	c := m.config
	m.space.final = nil
	head, err := m.load("head", m.headName(), weight{shape: []int{c.Vocabulary, c.Hidden}})
	if err != nil {
		return err
	}
	norm, err := m.load("final norm", normName, c.normWeight("", c.Hidden))
	if err != nil {
		return err
	}
	m.final, m.space.final = map[string]gorgonia.Value{"norm.weight": norm, "head.weight": head}, m
	return nil
}

// headName is the tensor that is the head.
func (m *Model) headName() string {
	if m.config.Tied {
		return embedName
	}
	return headName
}

// load reads a vector, or reads and packs rows of a matrix, into the workspace,
// over what that buffer held before.
func (m *Model) load(buffer, name string, w weight) (gorgonia.Value, error) {
	if len(w.shape) == 2 {
		p := m.space.panels(buffer)
		return p, p.pack(m.source, name, w.row, w.shape[0], w.shape[1], m.space)
	}
	values := m.space.take(buffer, w.shape[0])
	err := m.source.Read(values, name, 0)
	if w.plus != 0 {
		for i, v := range values {
			values[i] = v + w.plus
		}
	}
	return dense(values, w.shape...), err
}
