package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
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
		opt.Side = t.base.FS
		if config, err := fs.ReadFile(t.base, "config.json"); err == nil {
			if changed, ok := withDType(config, mainType(weights)); ok {
				opt.Replace = map[string][]byte{"config.json": changed}
			}
		}
		t.result.Files, err = tensors.Write(ctx, t.opt.out, weights, opt)
	}
	if err != nil {
		if saved := t.run.Save(context.WithoutCancel(ctx), t.state()); saved == nil && ctx.Err() != nil {
			return halted{t.run.Done(), t.run.Options().Steps, t.state()}
		}
		return err
	}
	return os.RemoveAll(t.state())
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
	if err := env.printf("%s: %s of %s parameters of %s trained, %d steps", r.Out, table.Count(r.Trained), table.Count(r.Parameters), r.Base, r.Steps); err != nil {
		return err
	}
	if r.Resumed > 0 {
		env.printf(" (%d of them before)", r.Resumed)
	}
	rows := [][]string{
		{"loss", fmt.Sprintf("%s -> %s nats a token", table.Sig(float64(r.First), 3), table.Sig(float64(r.Last), 3))},
		{"data", fmt.Sprintf("%s, %s passes", plural(r.Examples, "example"), table.Sig(float64(r.Passes), 3))},
	}
	if r.Divergence != nil {
		rows = append(rows, []string{"divergence", table.Sig(float64(*r.Divergence), 3) + " nats a token from the base"})
	}
	for _, d := range r.Replayed {
		rows = append(rows, []string{"replay " + d.Slice, fmt.Sprintf("%d drawn from a pool of %d, %s passes", d.Drawn, d.Pool, table.Sig(float64(d.Passes), 3))})
	}
	if !env.timeless {
		rows = append(rows, []string{"speed", fmt.Sprintf("%.0f tokens/s, %s", float64(r.PerSecond), time.Duration(float64(time.Second)*float64(r.Seconds)).Round(100*time.Millisecond))})
	}
	if err := env.printf("\n\n"); err != nil {
		return err
	}
	for _, row := range rows {
		if err := env.printf("  %-20s %s\n", row[0], row[1]); err != nil {
			return err
		}
	}
	return env.footnotes(r.Notes)
}
