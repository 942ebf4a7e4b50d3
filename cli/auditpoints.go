package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"surgeon/merge"
	"surgeon/probe/attribute"
	"surgeon/probe/decoder"
	"surgeon/tensors"
)

// points scores merges by the cross-entropy of reference answers, and keeps what it
// scored in the run folder, so that a search that was killed goes on.
type points struct {
	a        *auditing
	requests []decoder.Request
	general  int // so many of the requests are general, the others of the domain
	title    string
	path     string
	torn     bool // the file ends within a line
	known    map[string]attribute.Losses
}

const pointsFile = "points.jsonl"

// point is a line of points.jsonl.
type point struct {
	Key     string  `json:"key"` // digest of the alpha of every tensor, and of the requests
	General float64 `json:"general"`
	Domain  float64 `json:"domain"`
}

// newPoints reads what was scored before. A line that was cut off is scored again.
func (a *auditing) newPoints(general, domain []reference) (*points, error) {
	p := &points{a: a, general: len(general), path: filepath.Join(a.opt.out, pointsFile), known: map[string]attribute.Losses{}}
	for _, r := range slices.Concat(general, domain) {
		p.requests = append(p.requests, r.request)
	}
	data, err := os.ReadFile(p.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	p.torn = len(data) > 0 && data[len(data)-1] != '\n'
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		var one point
		if json.Unmarshal(lines.Bytes(), &one) == nil && one.Key != "" {
			p.known[one.Key] = attribute.Losses{General: one.General, Domain: one.Domain}
		}
	}
	return p, lines.Err()
}

// ask is an attribute.Oracle.
func (p *points) ask(ctx context.Context, alphas []merge.Alpha) ([]attribute.Losses, error) {
	keys := make([]string, len(alphas))
	var open []merge.Alpha
	var names []string
	for i, alpha := range alphas {
		keys[i] = p.key(alpha)
		if _, known := p.known[keys[i]]; !known && !slices.Contains(names, keys[i]) {
			open, names = append(open, alpha), append(names, keys[i])
		}
	}
	losses, err := p.losses(ctx, open)
	if err != nil {
		return nil, err
	}
	if err := p.keep(names, losses); err != nil {
		return nil, err
	}
	list := make([]attribute.Losses, len(alphas))
	for i, key := range keys {
		list[i] = p.known[key]
	}
	return list, nil
}

// key is a digest of a point: what its alphas come to, tensor by tensor.
func (p *points) key(alpha merge.Alpha) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s %d\n", Version, kernelIdentity(), p.general)
	for _, name := range p.a.in.tuned[0].delta.Names() {
		fmt.Fprintf(sum, "%s %x\n", name, alpha(name))
	}
	for _, r := range p.requests {
		fmt.Fprintln(sum, r.Prompt, r.Continuations)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

func (p *points) keep(names []string, losses []attribute.Losses) (err error) {
	if len(names) == 0 {
		return nil
	}
	file, err := os.OpenFile(p.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if p.torn {
		p.torn = false
		if _, err := file.Write([]byte("\n")); err != nil {
			return err
		}
	}
	for i, name := range names {
		p.known[name] = losses[i]
		line, err := json.Marshal(point{name, losses[i].General, losses[i].Domain})
		if err != nil {
			return err
		}
		if _, err := file.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// wave is how many points are scored at once: so many are kept when a search is
// killed.
const wave = 8

// losses are the mean cross-entropies of merges at points, nats a token.
func (p *points) losses(ctx context.Context, open []merge.Alpha) (list []attribute.Losses, err error) {
	step, finish := p.a.opt.progress(stage(2, p.title), "rows")
	defer finish()
	for part := range slices.Chunk(open, wave) {
		some, err := p.scored(ctx, part, func(done, total int64) {
			if each := total / int64(len(part)); step != nil {
				step(int64(len(list))*each+done, int64(len(open))*each)
			}
		})
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}

func (p *points) scored(ctx context.Context, alphas []merge.Alpha, step func(done, total int64)) ([]attribute.Losses, error) {
	var models []*decoder.Model
	for _, alpha := range alphas {
		m, err := p.a.in.merged(alpha)
		if err != nil {
			return nil, err
		}
		model, err := decoder.Open(p.a.bench.Config, m)
		if err != nil {
			return nil, err
		}
		models = append(models, model)
	}
	outcomes, err := decoder.ScoreAll(ctx, models, p.requests, decoder.WaveOptions{Progress: step, Part: p.part(alphas)})
	if err != nil {
		return nil, err
	}
	var list []attribute.Losses
	for _, o := range outcomes {
		if o.Err != nil {
			return nil, o.Err
		}
		list = append(list, attribute.Losses{General: answerLoss(o.Responses[:p.general]), Domain: answerLoss(o.Responses[p.general:])})
	}
	return list, nil
}

// part names what decides the outcome of a layer at each of some points, so that what
// points have in common, from the embedding on, is computed once.
func (p *points) part(alphas []merge.Alpha) func(model, layer int) string {
	names := map[int][]string{}
	for _, name := range p.a.in.tuned[0].delta.Names() {
		layer := -1
		switch key := tensors.KeyOf(name); {
		case key.Layer != tensors.NoLayer:
			layer = key.Layer
		case key.Part == tensors.PartNorm || key.Part == tensors.PartHead:
			continue // behind the last layer
		}
		names[layer] = append(names[layer], name)
	}
	return func(model, layer int) string {
		sum := sha256.New()
		for _, name := range names[layer] {
			fmt.Fprintf(sum, "%x ", alphas[model](name))
		}
		return string(sum.Sum(nil))
	}
}

// answerLoss is the cross-entropy of answers, nats a token.
func answerLoss(responses []decoder.Response) float64 {
	sum, tokens := 0.0, 0.0
	for _, r := range responses {
		sum -= r.LogProbs[0]
		tokens += float64(len(r.Tokens[0]))
	}
	return sum / tokens
}
