package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"

	"surgeon/cli/table"
	"surgeon/probe/route"
	"surgeon/tensors"
)

// isolationFile is the manifest of a folder that holds an isolated adapter, and
// routerFile its router.
const (
	isolationFile = "isolation.json"
	routerFile    = "router.json"
)

// write puts the adapter, its manifest and its router on disk.
func (s *isolation) write(ctx context.Context, opt isolateOptions) error {
	if err := os.MkdirAll(s.Out, 0o777); err != nil {
		return err
	}
	base, err := s.in.base.DigestFiles(ctx, nil)
	if err != nil {
		return err
	}
	before := writtenBefore(s.Out)
	written, err := s.adapter.Write(ctx, s.Out, tensors.WriteOptions{Force: opt.force, Beside: func(files []tensors.Digest) (map[string][]byte, error) {
		manifest, err := json.MarshalIndent(struct {
			Surgeon string   `json:"surgeon"` // version
			Command []string `json:"command"`
			*isolation
			BaseFiles []tensors.Digest `json:"base_files"` // as they are, and stay
			Files     []tensors.Digest `json:"files"`      // of the adapter
		}{Version, opt.command, s, base, files}, "", "  ")
		if err != nil {
			return nil, err
		}
		beside := map[string][]byte{isolationFile: append(manifest, '\n')}
		if s.Router != nil {
			if beside[routerFile], err = s.Router.file(s.Base); err != nil {
				return nil, err
			}
		}
		for _, name := range []string{isolationFile, routerFile} {
			if data, ok := beside[name]; ok {
				files = append(files, tensors.DigestBytes(name, data))
			}
		}
		provenance, err := json.MarshalIndent(struct {
			Surgeon string `json:"surgeon"`
			adapterSource
			Files []tensors.Digest `json:"files"`
		}{Version, adapterSource{opt.command, s.Base, []string{s.Tuned}}, files}, "", "  ")
		maps.Copy(beside, map[string][]byte{tensors.Provenance: append(provenance, '\n')})
		return beside, err
	}})
	if err != nil {
		return err
	}
	return before.remove(s.Out, written)
}

// file is router.json: a vector is the mean over the prompt's tokens of the
// residual stream behind a layer of the base.
func (t *routerTable) file(base string) ([]byte, error) {
	data, err := json.Marshal(struct {
		Base   string `json:"base"`
		Layer  int    `json:"layer"`
		Vector string `json:"vector"`
		*route.Router
	}{base, t.Layer, "mean over the prompt's tokens of the residual stream behind the layer", t.Router})
	return append(data, '\n'), err
}

func (s *isolation) print(env environment) error {
	if err := env.printf("%s holds an adapter of rank %d, %s; %s stays as it is\n", s.Out, s.Rank, table.Bytes(s.Bytes), s.Base); err != nil {
		return err
	}
	if s.Energy != nil {
		env.printf("it holds %s of the squared change\n", table.Percent(float64(*s.Energy)))
	}
	if err := s.printProof(env); err != nil {
		return err
	}
	if err := s.printRouter(env); err != nil {
		return err
	}
	env.printf("\n")
	for _, one := range s.Servers {
		env.printf("%s\n", one.Name)
		for _, command := range one.Commands {
			env.printf("  %s\n", command)
		}
		for _, problem := range one.Problems {
			env.printf("  but it %s\n", problem)
		}
	}
	env.printf("\n")
	return env.footnotes(s.Notes)
}

func (s *isolation) printProof(env environment) error {
	if s.Proof == nil {
		return nil
	}
	env.printf("\nwith the adapter off %s of %d answers to general questions are the base's, bit for bit\n\n", table.Count(int64(s.Proof.Same)), s.Proof.Answers)
	columns := []table.Column{{Name: "task"}, {Name: "label"}, {Name: "items", Right: true, Spare: true}, {Name: "base", Right: true}, {Name: "off", Right: true},
		{Name: "on", Right: true}, {Name: "on - base", Right: true, Spare: true}, {Name: "fine-tune", Right: true}}
	var rows [][]string
	for _, t := range s.Proof.Tasks {
		rows = append(rows, []string{t.Task, t.Label, fmt.Sprint(t.N), percent(t.Base.Score), percent(t.Off.Score), percent(t.On.Score),
			table.Points(float64(t.On.ToBase.Difference)), percent(t.Tuned.Score)})
	}
	return env.printTable(columns, rows)
}

func (s *isolation) printRouter(env environment) error {
	if s.Router == nil {
		return nil
	}
	env.printf("\nrouter: nearest centroid behind layer %d of %s, tested on prompts that it had not seen (%d, in %d folds)\n\n", s.Router.Layer, s.Base, s.Router.Prompts, folds)
	c := s.Router.Confusion
	columns := []table.Column{{Name: "prompts"}}
	for _, label := range c.Labels {
		columns = append(columns, table.Column{Name: "routed " + label, Right: true})
	}
	columns = append(columns, table.Column{Name: "wrong", Right: true})
	var rows [][]string
	for i, label := range c.Labels {
		row, wrong, all := []string{label}, 0, 0
		for k, n := range c.Counts[i] {
			row = append(row, fmt.Sprint(n))
			if all += n; k != i {
				wrong += n
			}
		}
		rows = append(rows, append(row, table.Percent(float64(wrong)/float64(all))))
	}
	if err := env.printTable(columns, rows); err != nil || len(s.Router.Risk) == 0 {
		return err
	}
	env.printf("\nthe risk that is left: scores to expect with this router\n\n")
	rows = nil
	for _, r := range s.Router.Risk {
		rows = append(rows, []string{r.Task, r.Label, table.Percent(float64(r.Wrong)), percent(r.Right), percent(r.Expected),
			table.Points(float64(r.Expected) - float64(r.Right))})
	}
	return env.printTable([]table.Column{{Name: "task"}, {Name: "label", Spare: true}, {Name: "routed wrong", Right: true}, {Name: "if right", Right: true},
		{Name: "expected", Right: true}, {Name: "risk", Right: true}}, rows)
}

// servedAs is how a name reads in a command line.
func servedAs(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+=@%:,", r))
	}) {
		return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return name
}
