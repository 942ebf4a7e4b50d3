package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/pbnjay/memory"

	"surgeon/cli/table"
	"surgeon/lora"
	"surgeon/probe/decoder"
	"surgeon/probe/train"
	"surgeon/tensors"
)

// trained is what train says of a training, and its JSON.
type trained struct {
	Out        string           `json:"out"`
	Base       string           `json:"base"`
	Steps      int              `json:"steps"`
	Resumed    int              `json:"resumed"` // steps that an earlier run made
	Parameters int64            `json:"parameters"`
	Trained    int64            `json:"trained_parameters"`
	Options    train.Options    `json:"options"`
	Examples   int              `json:"examples"`
	Passes     number           `json:"passes"` // over the data
	Replayed   []replayed       `json:"replayed,omitempty"`
	First      number           `json:"first_loss"` // nats a token, mean of up to ten steps
	Last       number           `json:"last_loss"`
	Divergence *number          `json:"last_divergence,omitempty"`
	Tokens     int64            `json:"tokens"`
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
	config  decoder.Config
	source  tensors.Source
	stored  func(name string) tensors.DType
	run     *train.Run
	result  trained
	losses  []float64 // of every step that this process knows of
	log     *os.File
	digests []tensors.Digest // of the data
}

func runTrain(ctx context.Context, env environment, opt trainOptions, baseName string) error {
	t := &training{opt: opt, name: baseName, result: trained{Out: opt.out, Base: baseName}}
	closeBase, err := t.open()
	if err != nil {
		return err
	}
	defer closeBase()
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

// vacant refuses a target that is there, or that is an input or holds one, before
// any work is done. An adapter does not go into the folder of a model, which it
// would turn into one of an adapter.
func (t *training) vacant() error {
	var inputs []string
	for _, path := range slices.Concat([]string{t.base.path("config.json")}, t.weights, t.opt.data, t.opt.replay, t.opt.klData) {
		inputs = append(inputs, located(path)...)
	}
	if err := vacant(t.opt.out, t.opt.force, inputs); err != nil {
		return err
	}
	entries, err := os.ReadDir(t.opt.out)
	if t.opt.options.LowRank != nil && err == nil && len(entries) > 0 && !lora.Is(os.DirFS(t.opt.out)) {
		return fmt.Errorf("%s: is not the folder of an adapter: choose another target", t.opt.out)
	}
	return nil
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

// settle fills in what depends on the model and the data.
func (t *training) settle(data train.Data) error {
	o := &t.opt.options
	n := parameters(t.source)
	if o.LearningRate == 0 {
		if o.LearningRate = 2e-5; n < 10e6 {
			o.LearningRate = 1e-3
		}
		if o.LowRank != nil {
			o.LearningRate *= 10
		}
	}
	if o.Steps == 0 {
		tokens := 0
		for _, e := range data.Domain {
			tokens += len(e.Tokens)
		}
		o.Steps = max(1, int(3*float64(tokens)/(1-o.ReplayShare)/float64(o.BatchTokens)+0.5))
	}
	if o.WarmUp == 0 {
		o.WarmUp = max(1, min(50, o.Steps/10))
	}
	if len(t.opt.freeze) > 0 {
		used := make([]bool, len(t.opt.freeze))
		frozen := map[string]bool{}
		for _, tensor := range t.config.Tensors() {
			for i, pattern := range t.opt.freeze {
				if ok, _ := filepath.Match(pattern, tensor.Name); ok { // checked before
					used[i], frozen[tensor.Name] = true, true
				}
			}
		}
		for i, is := range used {
			if !is {
				return usagef("--freeze %s matches no tensor of %s: surgeon inspect lists them", t.opt.freeze[i], t.name)
			}
		}
		o.Frozen = func(name string) bool { return frozen[name] }
	}
	return t.fits()
}

// fits refuses a training that the machine has no memory for.
func (t *training) fits() error {
	need, have := train.Memory(t.config, t.opt.options), int64(memory.TotalMemory())
	if have > 0 && need > have {
		return fmt.Errorf("%s: training takes about %s of memory and the machine has %s: train an adapter (--lora r=16) or set a smaller --batch-tokens", t.name, table.Bytes(need), table.Bytes(have))
	}
	return nil
}

// state is where the state of the training is until it is finished.
func (t *training) state() string { return filepath.Clean(t.opt.out) + ".training" }

// steps makes all steps, or those that are left.
func (t *training) steps(ctx context.Context) error {
	resumed, err := t.run.Restore(t.state())
	if err != nil {
		return err
	}
	if err := t.openLog(); err != nil {
		return err
	}
	defer t.log.Close()
	if resumed {
		t.result.Resumed = t.run.Done()
	}
	step, finish := t.opt.progress()
	defer finish()
	start := time.Now()
	for total := t.run.Options().Steps; t.run.Done() < total; {
		if ctx.Err() != nil {
			return t.stop(ctx)
		}
		report, err := t.run.Step()
		if err == nil {
			err = t.note(report)
		}
		if err != nil {
			return err
		}
		step(report)
		if done := t.run.Done(); t.opt.every > 0 && done%t.opt.every == 0 && done < total {
			if err := t.run.Save(ctx, t.state()); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
	t.summarise(time.Since(start))
	return nil
}

// stop saves the state of a training that was interrupted.
func (t *training) stop(ctx context.Context) error {
	if err := t.run.Save(context.WithoutCancel(ctx), t.state()); err != nil {
		return err
	}
	return halted{t.run.Done(), t.run.Options().Steps, t.state()}
}

// halted is the error of a training that was interrupted.
type halted struct {
	done, steps int
	state       string
}

// Error implements error.
func (h halted) Error() string {
	return fmt.Sprintf("interrupted: %d of %d steps are saved in %s: repeat the command to go on", h.done, h.steps, h.state)
}

// summarise takes over what the training did.
func (t *training) summarise(took time.Duration) {
	r := &t.result
	r.Steps, r.Options = t.run.Done(), t.run.Options()
	r.Trained, r.Parameters = t.run.Parameters()
	r.Passes = number(t.run.Epochs())
	for _, d := range t.run.Doses() {
		r.Replayed = append(r.Replayed, replayed{d.Slice, d.Pool, d.Drawn, number(d.Epoch)})
	}
	few := min(10, len(t.losses))
	r.First, r.Last = number(mean(t.losses[:few])), number(mean(t.losses[len(t.losses)-few:]))
	r.Seconds = number(took.Seconds())
	if made := r.Steps - r.Resumed; r.Steps > 0 {
		r.PerSecond = number(float64(r.Tokens) * float64(made) / float64(r.Steps) / took.Seconds())
	}
}

func mean(values []float64) (m float64) {
	for _, v := range values {
		m += v / float64(len(values))
	}
	return m
}
