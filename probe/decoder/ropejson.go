package decoder

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// ropeJSON is the rope_parameters of transformers 5 or the rope_scaling of
// older releases.
type ropeJSON struct {
	Type     string   `json:"rope_type"`
	OldType  string   `json:"type"`
	Theta    *float64 `json:"rope_theta"`
	Factor   float64  `json:"factor"`
	Low      float64  `json:"low_freq_factor"`
	High     float64  `json:"high_freq_factor"`
	Original float64  `json:"original_max_position_embeddings"`
	Partial  *float64 `json:"partial_rotary_factor"`
}

// rawMessage is a value of JSON; null or one that is missing is empty.
type rawMessage = json.RawMessage

// Where rotary settings stand.
const (
	ropeParameters = "rope_parameters" // in transformers 5
	ropeScaling    = "rope_scaling"    // in older releases
)

// rope reads either form of the rotary settings; theta is what stands outside
// them.
func (c configJSON) rope(settings rawMessage, where string, theta *float64, f family, context int) (RoPE, error) {
	var r ropeJSON
	if len(settings) > 0 {
		if err := strict(settings, &r); err != nil {
			return RoPE{}, fmt.Errorf("%s: %w", where, err)
		}
	}
	if r.Type != "" && r.OldType != "" && r.Type != r.OldType {
		return RoPE{}, fmt.Errorf("%s: rope_type %q and type %q disagree", where, r.Type, r.OldType)
	}
	out := RoPE{
		Theta: orElse(r.Theta, orElse(theta, cmp.Or(f.theta, 10000))), Scaling: cmp.Or(r.Type, r.OldType), Factor: r.Factor,
		LowFrequency: r.Low, HighFrequency: r.High, OriginalContext: r.Original,
	}
	switch partial := orElse(r.Partial, orElse(c.Partial, 1)); {
	case partial == 1:
	case f.partial:
		out.Partial = partial
	default:
		return RoPE{}, fmt.Errorf("partial_rotary_factor %g is not supported for this architecture", partial)
	}
	if out.Scaling == "llama3" && out.OriginalContext == 0 {
		out.OriginalContext = float64(context) // transformers' default
	}
	if err := out.check(); err != nil {
		return RoPE{}, fmt.Errorf("%s: %w", where, err)
	}
	return out, nil
}

// rotary returns the settings that are there, or nil. Two of them must say the
// same: releases of transformers differ in which one they believe.
func (c configJSON) rotary() (settings rawMessage, where string, err error) {
	given := func(m rawMessage) bool { return len(m) > 0 && string(m) != "null" }
	switch {
	case given(c.RopeParameters) && given(c.RopeScaling):
		var a, b any
		if json.Unmarshal(c.RopeParameters, &a) != nil || json.Unmarshal(c.RopeScaling, &b) != nil || !reflect.DeepEqual(a, b) {
			return nil, "", fmt.Errorf("rope_parameters and rope_scaling are both given and disagree: remove one")
		}
		return c.RopeParameters, ropeParameters, nil
	case given(c.RopeParameters):
		return c.RopeParameters, ropeParameters, nil
	case given(c.RopeScaling):
		return c.RopeScaling, ropeScaling, nil
	}
	return nil, "rope_theta", nil
}

// ropeFields are the fields that ropeJSON reads.
var ropeFields = fields("rope_type type rope_theta factor low_freq_factor high_freq_factor original_max_position_embeddings partial_rotary_factor")

// strict decodes rotary settings and refuses fields it does not know.
func strict(data []byte, into *ropeJSON) error {
	if _, err := object(data, slices.Collect(maps.Keys(ropeFields))...); err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// object reads a JSON object that has no other fields than those of these
// names.
func object(data []byte, names ...string) (map[string]rawMessage, error) {
	var raw map[string]rawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("field %q is not understood", name)
		}
	}
	return raw, nil
}
