package cli

import (
	"fmt"
	"path/filepath"

	"surgeon/lora"
	"surgeon/tensors"
)

// adapterWeights is the file of an adapter's factors.
const adapterWeights = "adapter_model.safetensors"

// openInspected opens a model, or the factors of an adapter as if they were one.
func openInspected(name string) (*model, error) {
	dir, ok := openAdapterFS(name)
	if !ok {
		return openModel(name)
	}
	m := &model{name: name}
	var err error
	if exists(name) {
		m.Checkpoint, err = tensors.Open(filepath.Join(name, adapterWeights))
	} else {
		m.embedded = true
		m.Checkpoint, err = tensors.OpenFS(dir, "embedded "+name)
	}
	return m, err
}

// describeAdapter says what the adapter is whose factors are inspected, in the
// place of the architecture and the tokenizer that it has not. Of a model it says
// nothing.
func (i *inspection) describeAdapter(m *model) {
	if files := m.Files(); len(files) != 1 || files[0].Name != adapterWeights || !lora.Is(m.Dir()) {
		return
	}
	i.Tokenizer = "that of its base"
	a, err := lora.OpenFS(m.Dir(), m.name)
	if err != nil {
		i.Architecture = "cannot be used: " + err.Error()
		return
	}
	defer a.Close()
	i.Architecture = fmt.Sprintf("LoRA adapter of rank %d for %s", a.Highest(), a.Config.Base)
}
