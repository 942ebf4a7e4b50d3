package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/merge"
	"surgeon/probe"
	"surgeon/probe/audit"
	"surgeon/probe/stat"
)

// TestAuditOfItself: a base against a copy of itself has no gap to close, and says so;
// with a handful of items it is never shipped without the condition of more.
func TestAuditOfItself(t *testing.T) {
	withPair(t)
	withoutGradients(t)
	dir := t.TempDir()
	t.Chdir(dir)
	damaged(t, dir, "again", "base", func(func(string) []uint16) {})
	r := decoded[auditResult](t, "audit", "base", "again", "--limit", "8", "--references", "16", "--repairs", "interpolation,revert,groups,lora,isolation", "--out", "run", "--json")
	if r.Lost.Largest >= 0 || r.Decision.Word == audit.Hold || r.Decision.Word == audit.Ship {
		t.Errorf("largest %d, decided %+v", r.Lost.Largest, r.Decision)
	}
	for _, gap := range r.Lost.Tasks {
		if gap.Gap.Value != 0 || gap.Word == stat.Regressed || gap.Word == stat.Material {
			t.Errorf("%+v", gap)
		}
	}
	says(t, "the memo", read(t, "run/memo.md"), "there is no harm to find a place for", "none shown", "Ask more items")
}

// TestNullAudits: the base against fifty copies with noise, half of them of the size of
// bfloat16's rounding, half of sixteen times that, which changes some answers. No task is
// called REGRESSED or MATERIAL, which the error of the words would allow in 2.5 % of 450.
func TestNullAudits(t *testing.T) {
	withPair(t)
	const draws = 50
	dir := t.TempDir()
	bench, set, candidates := noisyCopies(t, dir, draws)
	asked, err := bench.Ask()
	if err != nil {
		t.Fatal(err)
	}
	scores, err := bench.ScoreAsked(context.Background(), asked, candidates)
	if err != nil {
		t.Fatal(err)
	}
	model := func(s probe.Scores) (tasks []audit.Task, m audit.Model) {
		m.Name = s.ID
		for _, task := range s.Tasks {
			one := audit.Task{Name: task.Task, Kind: audit.General, Margin: 0.02}
			switch {
			case strings.Contains(task.Task, "refusal") || strings.Contains(task.Task, "benign"):
				one.Kind, one.Margin = audit.Safety, 0.01
			case strings.Contains(task.Task, "chemistry"):
				one.Kind = audit.Domain
			}
			for _, id := range task.Sample.Items {
				one.Items = append(one.Items, audit.Item{ID: id})
			}
			tasks, m.Scores = append(tasks, one), append(m.Scores, task.Sample.Scores)
		}
		return tasks, m
	}
	tasks, base := model(scores[0])
	wrong, flips := 0, 0
	for _, s := range scores[1:] {
		if s.Err != nil {
			t.Fatal(s.Err)
		}
		_, copied := model(s)
		found, err := audit.Regressions(tasks, base, copied, audit.Rule{})
		if err != nil {
			t.Fatal(err)
		}
		for _, gap := range found.Tasks {
			flips += gap.Lost + gap.Gained
			if gap.Word == stat.Regressed || gap.Word == stat.Material {
				wrong++
				t.Logf("%s: %s is %s: %+v", s.ID, gap.Task, gap.Word, gap.Gap)
			}
		}
	}
	t.Logf("%d words of %d wrong, %d answers changed", wrong, draws*len(tasks), flips)
	if len(tasks) != len(set.units()) || flips == 0 || wrong > 0 {
		t.Errorf("%d tasks, %d answers changed, %d of %d words say that something was lost", len(tasks), flips, wrong, draws*len(tasks))
	}
}

// noisyCopies are the base and copies of it with noise, and a bench to ask them with.
func noisyCopies(t *testing.T, dir string, n int) (*probe.Bench, *taskSet, []probe.Candidate) {
	t.Helper()
	var bench *probe.Bench
	var set *taskSet
	candidates := []probe.Candidate{{ID: "base"}}
	for draw := range n {
		name := damaged(t, dir, fmt.Sprint("copy", draw), "base", func(tensor func(string) []uint16) {
			for layer := range 4 {
				for i, part := range []string{"self_attn.q_proj", "self_attn.o_proj", "mlp.up_proj", "mlp.down_proj"} {
					noise(tensor(fmt.Sprintf("model.layers.%d.%s.weight", layer, part)), []float64{1.0 / 256, 1.0 / 16}[draw%2], uint64(draw<<8+layer<<4+i))
				}
			}
		})
		in, err := openMerge(merge.Refuse, "base", filepath.Join(name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(in.close)
		source, err := in.merged(merge.Number(1))
		if err != nil {
			t.Fatal(err)
		}
		if candidates = append(candidates, probe.Candidate{ID: fmt.Sprint("copy ", draw), Source: source}); draw == 0 {
			opt := benchOptions{limit: 12}
			opt.setting.Shots = -1
			opt.suit(true)
			if bench, set, err = newBench(in.base, opt); err != nil {
				t.Fatal(err)
			}
			if candidates[0].Source, err = in.merged(merge.Number(0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !slices.ContainsFunc(set.units(), func(u string) bool { return u == "pair_refusal" }) {
		t.Fatalf("tasks %q", set.units())
	}
	return bench, set, candidates
}
