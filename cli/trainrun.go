package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"surgeon/probe/decoder"
	"surgeon/probe/train"
	"surgeon/tensors"
)

// trained is what train says of a training, and its JSON.
type trained struct {
	Out        string           `json:"out"`
	Base       string           `json:"base"`
	Steps      int              `json:"steps"`
	Resumed    int              `json:"resumed"`    // steps that an earlier run made
	Parameters int64            `json:"parameters"` // of the base
	Trained    int64            `json:"trained_parameters"`
	Options    train.Options    `json:"options"`
	Examples   int              `json:"examples"`
	Passes     number           `json:"passes"` // over the data
	Replayed   []replayed       `json:"replayed,omitempty"`
	First      number           `json:"first_loss"` // nats a token, mean of up to ten steps; null if the log was lost
	Last       number           `json:"last_loss"`
	Divergence *number          `json:"last_divergence,omitempty"`
	Tokens     number           `json:"tokens"`
	Seconds    number           `json:"seconds"`
	PerSecond  number           `json:"tokens_per_second"`
	Files      []tensors.Digest `json:"files"`
	Notes      []string         `json:"notes,omitempty"`
}

// replayed is what was replayed of a slice.
type replayed struct {
	Slice  string `json:"slice"`
	Pool   int    `json:"pool"`
	Drawn  int    `json:"drawn"`
	Passes number `json:"passes"` // over the pool
}

// training is a training of the command line.
type training struct {
	opt     trainOptions
	base    folder
	weights []string // files of the base
	name    string
	unused  bool // the base has a chat template and --chat is not given
	noted   bool // that this matters
	config  decoder.Config
	source  tensors.Source
	stored  func(name string) tensors.DType
	run     *train.Run
	result  trained
	digests []tensors.Digest // of the data
	reports []train.Report   // of the steps, but for those whose log was lost
	lost    int              // those
	log     *trainingLog
}

func runTrain(ctx context.Context, env environment, opt trainOptions, baseName string) error {
	t := &training{opt: opt, name: baseName, result: trained{Out: opt.out, Base: baseName}}
	closeBase, err := t.open()
	if err != nil {
		return err
	}
	defer closeBase()
	if err := t.possible(); err != nil {
		return err
	}
	if err := t.vacant(); err != nil {
		return err
	}
	data, err := t.data(ctx)
	if err != nil {
		return err
	}
	if err := t.settle(data); err != nil {
		return err
	}
	if t.run, err = train.New(t.config, t.source, data, t.opt.options); err != nil {
		return fmt.Errorf("%s: %w", baseName, err)
	}
	if err := t.resume(); err != nil {
		return err
	}
	defer t.log.close()
	if err := t.steps(ctx); err != nil {
		return err
	}
	if err := t.write(ctx); err != nil {
		return err
	}
	if opt.json {
		return env.printJSON(t.result)
	}
	return t.result.print(env)
}

// open reads the base, or the folder of one that is to be drawn.
func (t *training) open() (closeBase func(), err error) {
	if t.opt.scratch {
		if t.base, err = openFolder(t.name); err != nil {
			return nil, err
		}
		data, path, err := t.base.side("config.json")
		if err != nil {
			return nil, err
		}
		if t.config, err = decoder.ParseConfig(data); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		var c struct {
			Deviation float64 `json:"initializer_range"`
			Type      string  `json:"torch_dtype"` // transformers 4
			NewType   string  `json:"dtype"`       // transformers 5
		}
		if err := json.Unmarshal(data, &c); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if !(c.Deviation > 0) {
			c.Deviation = 0.02
		}
		stored := torchTypes[cmp.Or(c.NewType, c.Type)]
		if stored != tensors.BF16 && stored != tensors.F16 {
			stored = tensors.F32
		}
		t.stored = func(string) tensors.DType { return stored }
		t.source = train.Initialise(t.config, c.Deviation, t.opt.options.Seed)
		return func() {}, nil
	}
	m, err := openModel(t.name)
	if err != nil {
		return nil, err
	}
	if t.config, err = m.config(); err != nil {
		m.Close()
		return nil, err
	}
	t.base, t.source = m.folder(), m
	for _, f := range m.Files() {
		t.weights = append(t.weights, m.File(f.Name))
	}
	t.result.Notes = notes(m.embedded)
	t.stored = func(name string) tensors.DType {
		if info, _ := m.Info(name); info.DType == tensors.BF16 || info.DType == tensors.F16 {
			return info.DType
		}
		return tensors.F32
	}
	return func() { m.Close() }, nil
}
