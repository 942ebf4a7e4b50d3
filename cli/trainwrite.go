package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"surgeon/cli/table"
	"surgeon/lora"
	"surgeon/probe/train"
	"surgeon/tensors"
)

// write puts the trained model or the adapter on disk and removes the state.
func (t *training) write(ctx context.Context) (err error) {
	opt := tensors.WriteOptions{Force: t.opt.force, Beside: t.beside}
	if l := t.opt.options.LowRank; l != nil {
		factors := t.run.Adapter()
		if t.opt.dtype != "" {
			factors = factors.As(func(string) tensors.DType { return t.opt.dtype })
		}
		if err := os.MkdirAll(t.opt.out, 0o777); err != nil {
			return err
		}
		t.result.Files, err = lora.Write(ctx, t.opt.out, factors, lora.Settings{Rank: l.Rank, Alpha: l.Alpha, Targets: l.Projections(), Base: t.name}, opt)
	} else {
		stored := t.stored
		if t.opt.dtype != "" {
			stored = func(string) tensors.DType { return t.opt.dtype }
		}
		weights := t.run.Weights().As(stored)
		opt.Side, opt.Identity = t.base.FS, fmt.Sprint(t.run.Identity(), t.opt.dtype)
		opt.Resume = !strings.HasSuffix(t.opt.out, ".safetensors") // of a directory: a write that was cut off goes on
		if config, err := fs.ReadFile(t.base, "config.json"); err == nil {
			if changed, ok := withDType(config, mainType(weights)); ok {
				opt.Replace = map[string][]byte{"config.json": changed}
			}
		}
		t.result.Files, err = tensors.Write(ctx, t.opt.out, weights, opt)
	}
	if err == nil {
		return t.clean()
	}
	switch saved := t.save(context.WithoutCancel(ctx)); {
	case saved != nil:
		return err
	case ctx.Err() != nil:
		return halted{t.run.Done(), t.run.Options().Steps, t.state()}
	}
	return fmt.Errorf("%w; the finished training is saved in %s: repeat the command to write it", err, t.state())
}

// beside makes surgeon.json and training.jsonl, which hold no time, so that the
// same training has the same bytes. Beside a single file they have its name too.
func (t *training) beside(files []tensors.Digest) (map[string][]byte, error) {
	curve, err := t.curve()
	if err != nil {
		return nil, err
	}
	prefix := ""
	if single, ok := strings.CutSuffix(filepath.Base(t.opt.out), ".safetensors"); ok {
		prefix = single + "."
	}
	files = append(append([]tensors.Digest{}, files...), tensors.DigestBytes(prefix+"training.jsonl", curve))
	data, err := json.MarshalIndent(struct {
		Surgeon  string           `json:"surgeon"` // version
		Base     string           `json:"base"`
		Data     []tensors.Digest `json:"data"`
		Identity string           `json:"identity"` // see train.Run.Identity
		Options  train.Options    `json:"options"`
		Frozen   []string         `json:"frozen,omitempty"` // patterns
		Passes   number           `json:"passes"`
		Replayed []replayed       `json:"replayed,omitempty"`
		Notes    []string         `json:"notes,omitempty"`
		Files    []tensors.Digest `json:"files"`
	}{Version, t.name, t.digests, t.run.Identity(), t.run.Options(), t.opt.freeze, t.result.Passes, t.result.Replayed, t.result.Notes, files}, "", "  ")
	return map[string][]byte{prefix + tensors.Provenance: append(data, '\n'), prefix + "training.jsonl": curve}, err
}

// print prints what was trained.
func (r trained) print(env environment) error {
	what := fmt.Sprintf("%s of %s parameters of %s", table.Count(r.Trained), table.Count(r.Parameters), r.Base)
	if r.Options.LowRank != nil {
		what = fmt.Sprintf("%s parameters of an adapter of %s's %s", table.Count(r.Trained), r.Base, table.Count(r.Parameters))
	}
	before := ""
	if r.Resumed > 0 {
		before = fmt.Sprintf(" (%d of them before)", r.Resumed)
	}
	if err := env.printf("%s: %s trained, %s%s\n\n", r.Out, what, plural(r.Steps, "step"), before); err != nil {
		return err
	}
	for _, row := range r.rows(env.timeless) {
		if err := env.printf("  %-20s %s\n", row[0], row[1]); err != nil {
			return err
		}
	}
	return env.footnotes(r.Notes)
}

// rows are what print says of the training, line by line.
func (r trained) rows(timeless bool) (rows [][2]string) {
	if !math.IsNaN(float64(r.First)) {
		rows = append(rows, [2]string{"loss", fmt.Sprintf("%s -> %s nats a token", table.Sig(float64(r.First), 3), table.Sig(float64(r.Last), 3))})
	}
	rows = append(rows, [2]string{"data", fmt.Sprintf("%s, %s passes", plural(r.Examples, "example"), table.Sig(float64(r.Passes), 3))})
	if r.Divergence != nil {
		rows = append(rows, [2]string{"divergence", table.Sig(float64(*r.Divergence), 3) + " nats a token from the base"})
	}
	for _, d := range r.Replayed {
		rows = append(rows, [2]string{"replay " + d.Slice, fmt.Sprintf("%d drawn from a pool of %d, %s passes", d.Drawn, d.Pool, table.Sig(float64(d.Passes), 3))})
	}
	if !timeless && r.PerSecond > 0 {
		rows = append(rows, [2]string{"speed", fmt.Sprintf("%.0f tokens/s, %s", float64(r.PerSecond), time.Duration(float64(time.Second)*float64(r.Seconds)).Round(100*time.Millisecond))})
	}
	return rows
}
