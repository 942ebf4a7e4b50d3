package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"surgeon/cli/table"
	"surgeon/lora"
	"surgeon/merge"
	"surgeon/tensors"
)

// provenance is surgeon.json: where a merged model came from. It holds no time
// and no place but those of the command line, so that the same merge has the
// same bytes.
type provenance struct {
	Surgeon string             `json:"surgeon"` // version
	Command []string           `json:"command"`
	Base    provenanceInput    `json:"base"`
	Tuned   []provenanceInput  `json:"tuned"`
	Recipe  recipe             `json:"recipe"`
	Tensors mergedTensors      `json:"tensors"`
	Alphas  []provenanceTensor `json:"alphas"`
	Files   []tensors.Digest   `json:"files"`
}

// provenanceInput is an input with the files of its weights.
type provenanceInput struct {
	Name  string           `json:"name"`
	Files []tensors.Digest `json:"files"`
}

// recipe is what was done to the inputs.
type recipe struct {
	Formula    string        `json:"formula"`
	Terms      []mergedTerm  `json:"terms"`
	DType      tensors.DType `json:"dtype,omitempty"` // of all weights; left out: as the base stores them
	Rounding   string        `json:"rounding"`
	Seed       *uint64       `json:"seed,omitempty"`
	OnMismatch merge.Policy  `json:"on_mismatch"`
	Notes      []string      `json:"notes,omitempty"`
}

// provenanceTensor are the alphas of one tensor, one for each tuned model.
type provenanceTensor struct {
	Name      string   `json:"name"`
	Requested []number `json:"requested"`
	Effective []number `json:"effective"`
}

// formula says what every weight of a merge is.
const formula = "base + sum of alpha * (tuned - base)"

// alongside digests the weights of the base and of all tuned models while they
// are read by the merge, and so only once from disk.
func (in *inputs) alongside() *tensors.Alongside {
	checkpoints := []*tensors.Checkpoint{in.base.Checkpoint}
	for _, t := range in.tuned {
		if t.model != nil {
			checkpoints = append(checkpoints, t.model.Checkpoint)
		}
	}
	return tensors.NewAlongside(checkpoints...)
}

// digests are those of all inputs, adapters too.
func (in *inputs) digests(ctx context.Context, along *tensors.Alongside) ([]provenanceInput, error) {
	digests, err := along.Digests(ctx)
	if err != nil {
		return nil, err
	}
	list := []provenanceInput{{in.base.name, digests[0]}}
	for _, t := range in.tuned {
		var files []tensors.Digest
		if t.model != nil {
			digests = digests[1:]
			files = digests[0]
		} else if files, err = adapterDigests(t.dir); err != nil {
			return nil, err
		}
		list = append(list, provenanceInput{t.name, files})
	}
	return list, nil
}

// adapterFiles are the files of an adapter, in the order of their digests.
var adapterFiles = []string{"adapter_config.json", "adapter_model.safetensors", lora.RemainderFile}

func adapterDigests(dir fs.FS) ([]tensors.Digest, error) {
	var files []tensors.Digest
	for _, name := range adapterFiles {
		data, err := fs.ReadFile(dir, name)
		if name == lora.RemainderFile && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		files = append(files, tensors.DigestBytes(name, data))
	}
	return files, nil
}

// identity names the inputs and the recipe: a merge is resumed only with the
// same. Files that were changed in between have another time or size.
func (in *inputs) identity(opt mergeOptions) string {
	var b strings.Builder
	stat := func(path string) {
		if info, err := os.Stat(path); err == nil {
			fmt.Fprintf(&b, "%q %d %d\n", path, info.Size(), info.ModTime().UnixNano())
		}
	}
	weights := func(m *model) {
		for _, f := range m.Files() {
			fmt.Fprintf(&b, "%q %d\n", f.Name, f.Bytes)
			stat(m.File(f.Name))
		}
	}
	weights(in.base)
	for i, t := range in.tuned {
		fmt.Fprintf(&b, "%s\n", opt.alphas[i])
		if t.model != nil {
			weights(t.model)
			continue
		}
		for _, name := range adapterFiles {
			stat(filepath.Join(t.name, name))
		}
	}
	fmt.Fprintf(&b, "%v %v %v", opt.stored, opt.policy, opt.allowNonfinite)
	return b.String()
}

// metadata is the base's own, with the recipe. Models are called by their last
// name, so that the bytes do not depend on where they lie. What is known only
// when the weights are written stands in surgeon.json.
func (in *inputs) metadata(opt mergeOptions) map[string]string {
	m := map[string]string{}
	for k, v := range in.base.Metadata() {
		m[k] = v
	}
	base := filepath.Base(in.base.name)
	text := base
	for i, t := range in.tuned {
		text += fmt.Sprintf(" + [%s] * (%s - %s)", opt.alphas[i], filepath.Base(t.name), base)
	}
	m["surgeon"] = fmt.Sprintf("%s: %s; %s", Version, text, opt.rounding())
	return m
}

func (opt mergeOptions) rounding() string {
	if opt.stored.Stochastic {
		return fmt.Sprintf("stochastic rounding, seed %d", opt.stored.Seed)
	}
	return "rounded once, to nearest"
}

// documents are surgeon.json and the model card; beside a single file it is
// NAME.surgeon.json alone.
func (m *merged) documents(in *inputs, opt mergeOptions, effect *merge.Effect, files []tensors.Digest, inputs []provenanceInput) (map[string][]byte, error) {
	p := provenance{Surgeon: Version, Command: opt.command, Base: inputs[0], Tuned: inputs[1:], Tensors: m.Tensors, Files: files,
		Recipe: recipe{Formula: formula, Terms: m.Terms, DType: opt.stored.DType, Rounding: opt.rounding(), OnMismatch: opt.policy, Notes: m.Notes}}
	if opt.stored.Stochastic {
		p.Recipe.Seed = &opt.stored.Seed
	}
	for _, t := range effect.Tensors {
		list := provenanceTensor{Name: t.Name}
		for _, e := range t.Terms {
			list.Requested, list.Effective = append(list.Requested, number(e.Requested)), append(list.Effective, number(e.Effective))
		}
		p.Alphas = append(p.Alphas, list)
	}
	if single, ok := strings.CutSuffix(filepath.Base(opt.out), ".safetensors"); ok {
		return map[string][]byte{single + "." + tensors.Provenance: encodeJSON(p)}, nil
	}
	card, err := m.card(p)
	if err != nil {
		return nil, err
	}
	p.Files = append(p.Files, tensors.DigestBytes("README.md", card))
	return map[string][]byte{"README.md": card, tensors.Provenance: encodeJSON(p)}, nil
}

func encodeJSON(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // numbers are numbers of ours
	}
	return b.Bytes()
}

// cardTemplate is the model card, with the front matter that the Hugging Face
// hub reads.
var cardTemplate = template.Must(template.New("card").Funcs(template.FuncMap{"quote": jsonQuote, "cell": cell, "sig": func(n number) string { return table.Sig(float64(n), 4) }}).Parse(`---
base_model:
- {{quote .Base.Name}}
{{- range .Tuned}}
- {{quote .Name}}
{{- end}}
library_name: transformers
tags:
- merge
- surgeon
---
# A merge of {{if gt (len .Tuned) 1}}{{len .Tuned}} fine-tunes with their base{{else}}a fine-tune with its base{{end}}

Made by surgeon {{.Surgeon}}: {{.Recipe.Formula}}, {{.Recipe.Rounding}}{{with .Recipe.DType}}, stored as {{.}}{{end}}.

| tuned model | alpha | effective alpha |
|---|---|---|
{{- range .Recipe.Terms}}
| {{cell .Tuned}} | {{cell .Rules}} | {{sig .Effective}} |
{{- end}}

The effective alpha is what is left of it after rounding to the stored type.
{{.Tensors.Merged}} tensors were merged, {{.Tensors.Copied}} copied from the base.
{{- with .Recipe.Notes}}
{{range .}}
- {{cell .}}
{{- end}}
{{- end}}

` + "`surgeon.json`" + ` holds the inputs with their digests, the command, the alphas of every tensor and the digest of every file;
` + "`surgeon inspect . --verify`" + ` checks them.
`))

// cell is text that stays within a cell of a Markdown table.
func cell(text string) string { return strings.ReplaceAll(table.Printable(text), "|", `\|`) }

// jsonQuote writes a YAML scalar: a JSON string is one.
func jsonQuote(text string) (string, error) {
	data, err := json.Marshal(text)
	return string(data), err
}

func (m *merged) card(p provenance) ([]byte, error) {
	var b bytes.Buffer
	err := cardTemplate.Execute(&b, p)
	return b.Bytes(), err
}

// replaced is config.json if the type that it says of the weights is no longer
// true.
func (in *inputs) replaced(src tensors.Source) map[string][]byte {
	data, err := fs.ReadFile(in.sideFS(), "config.json")
	if err != nil {
		return nil
	}
	if changed, ok := withDType(data, mainType(src)); ok {
		return map[string][]byte{"config.json": changed}
	}
	return nil
}
