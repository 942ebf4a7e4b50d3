package cli

import (
	"bytes"
	"encoding/json"
	"slices"

	"surgeon/tensors"
)

// mainType is the number type that most weights are stored in.
func mainType(src tensors.Source) tensors.DType {
	counts := map[tensors.DType]int64{}
	var most tensors.DType
	for _, name := range src.Names() {
		info, _ := src.Info(name)
		if !info.DType.Float() {
			continue
		}
		if counts[info.DType] += int64(info.Len()); counts[info.DType] > counts[most] {
			most = info.DType
		}
	}
	return most
}

// withDType changes the type of the weights that a config.json states, under
// the name of transformers 4 (torch_dtype) or 5 (dtype), and nothing else of
// its text. It reports false where nothing is stated or it is true already.
func withDType(config []byte, d tensors.DType) ([]byte, bool) {
	want := ""
	for name, known := range torchTypes {
		if known == d {
			want = name
		}
	}
	if trimmed := bytes.TrimLeft(config, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, false
	}
	type place struct{ from, to int }
	var places []place
	decoder := json.NewDecoder(bytes.NewReader(config))
	depth, key := 0, ""
	isKey := false
	for {
		before := int(decoder.InputOffset())
		token, err := decoder.Token()
		if err != nil {
			break
		}
		end := int(decoder.InputOffset())
		switch t := token.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				depth++
			} else {
				depth--
			}
			isKey = depth == 1
		case string:
			if depth == 1 && isKey {
				key, isKey = t, false
				continue
			}
			if depth == 1 && (key == "torch_dtype" || key == "dtype") && t != want {
				places = append(places, place{before + bytes.IndexByte(config[before:], '"'), end})
			}
			isKey = depth == 1
		default:
			isKey = depth == 1
		}
	}
	if len(places) == 0 || want == "" {
		return nil, false
	}
	changed := slices.Clone(config)
	for _, p := range slices.Backward(places) {
		changed = slices.Concat(changed[:p.from], []byte(`"`+want+`"`), changed[p.to:])
	}
	return changed, true
}
