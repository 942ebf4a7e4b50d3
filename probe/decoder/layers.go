package decoder

import (
	"errors"
	"fmt"
	"slices"
)

// The values of layer_types.
const (
	fullAttention    = "full_attention"
	slidingAttention = "sliding_attention"
)

// layers reads what each layer attends to and how it is rotated.
func (c configJSON) layers(f family, out *Config) error {
	if c.WindowOn {
		return errors.New("use_sliding_window is not supported for this architecture")
	}
	if f.pattern > 0 && c.Window != nil && *c.Window < 1 {
		return fmt.Errorf("sliding_window is %d: it must be null or at least 1", *c.Window)
	}
	everywhere, within, err := c.rotations(f, out.Context)
	if err != nil {
		return err
	}
	kinds, err := c.kinds(f)
	if err != nil {
		return err
	}
	rotated, err := c.rotated(f)
	if err != nil {
		return err
	}
	for i := range kinds {
		layer := Layer{RoPE: everywhere}
		if kinds[i] == slidingAttention {
			layer = Layer{Window: orElse(c.Window, 0), RoPE: within}
		}
		if !rotated(i) {
			layer.RoPE = RoPE{}
		}
		out.Each = append(out.Each, layer)
	}
	out.Layer = Layer{RoPE: everywhere}
	if len(out.Each) > 0 {
		out.Layer = out.Each[0]
	}
	if different := slices.IndexFunc(out.Each, func(l Layer) bool { return l != out.Layer }); different < 0 {
		out.Each = nil
	}
	return nil
}

// kinds lists what each layer attends to, as layer_types says or the family's
// pattern.
func (c configJSON) kinds(f family) ([]string, error) {
	if c.Layers < 1 || c.Layers > mostLayers {
		return nil, fmt.Errorf("num_hidden_layers is %d: it must be between 1 and %d", c.Layers, mostLayers)
	}
	if c.LayerTypes != nil {
		return c.LayerTypes, c.checkTypes(f)
	}
	pattern := f.pattern
	if pattern > 1 {
		pattern = orElse(c.Pattern, pattern)
		if pattern < 1 || orElse(c.OldPattern, pattern) != pattern {
			return nil, fmt.Errorf("sliding_window_pattern is %d and there are no layer_types: give them", orElse(c.OldPattern, pattern))
		}
	}
	kinds := make([]string, c.Layers)
	for i := range kinds {
		kinds[i] = fullAttention
		if f.pattern == 1 || f.pattern > 1 && (i+1)%pattern != 0 {
			kinds[i] = slidingAttention
		}
	}
	return kinds, nil
}

// mostLayers bounds what is laid out before any tensor is looked for.
const mostLayers = 1 << 16

func (c configJSON) checkTypes(f family) error {
	if len(c.LayerTypes) != c.Layers {
		return fmt.Errorf("layer_types has %d layers: num_hidden_layers is %d", len(c.LayerTypes), c.Layers)
	}
	for i, kind := range c.LayerTypes {
		if kind != fullAttention && !(f.pattern > 0 && kind == slidingAttention) {
			return fmt.Errorf("layer_types: layer %d is %q, which is not supported for this architecture", i, kind)
		}
	}
	return nil
}

// rotated says which layers are rotated: those that no_rope_layers, despite its
// name, marks with 1, or all but every no_rope_layer_interval-th.
func (c configJSON) rotated(f family) (func(layer int) bool, error) {
	interval := orElse(c.RotatedEvery, 4)
	switch {
	case !f.unrotary:
		return func(int) bool { return true }, nil
	case c.Rotated == nil && interval < 1:
		return nil, fmt.Errorf("no_rope_layer_interval is %d: it must be at least 1", interval)
	case c.Rotated == nil:
		return func(layer int) bool { return (layer+1)%interval != 0 }, nil
	case len(c.Rotated) < c.Layers:
		return nil, fmt.Errorf("no_rope_layers has %d layers: num_hidden_layers is %d", len(c.Rotated), c.Layers)
	}
	return func(layer int) bool { return c.Rotated[layer] != 0 }, nil
}

// rotations reads the rotation of layers that attend to everything, and that of
// layers with a window.
func (c configJSON) rotations(f family, context int) (everywhere, within RoPE, err error) {
	settings, where, err := c.rotary()
	if err != nil {
		return RoPE{}, RoPE{}, err
	}
	if !f.local {
		everywhere, err = c.rope(settings, where, c.Theta, f, context)
		return everywhere, everywhere, err
	}
	local := rawMessage(nil)
	if where == ropeParameters { // one for each kind of layer
		both, err := object(settings, fullAttention, slidingAttention)
		if err != nil {
			return RoPE{}, RoPE{}, fmt.Errorf("%s: %w", where, err)
		}
		settings, local = both[fullAttention], both[slidingAttention]
	}
	if everywhere, err = c.rope(settings, where, c.Theta, f, context); err != nil {
		return RoPE{}, RoPE{}, err
	}
	f.theta = 1e4
	within, err = c.rope(local, where, c.LocalTheta, f, context)
	return everywhere, within, err
}
