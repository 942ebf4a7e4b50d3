package cli

import (
	"fmt"
	"path/filepath"

	"surgeon/probe/record"
	"surgeon/probe/task"
)

// plan is the same for every shard, so that they can be put together.
func (g *gridRun) plan() record.Plan {
	opt, _ := g.file.bench(0)
	plan := record.Plan{Version: Version, Seeds: g.bench.Seeds, Questions: len(g.asked)}
	for _, f := range g.set.files {
		plan.Data = append(plan.Data, record.Input{Name: filepath.Base(f.Path), Path: f.Path, Digest: f.SHA256})
	}
	for i, t := range g.bench.Tasks {
		plan.Tasks = append(plan.Tasks, g.set.planned(i, t, opt))
	}
	if opt.setting.Chat {
		plan.Chat = &record.ChatPlan{Multiturn: opt.setting.MultiTurn}
	}
	for _, p := range g.pairs {
		for i, m := range []string{p.Base, p.Tuned} {
			plan.Models = append(plan.Models, record.Model{Input: record.Input{Name: fmt.Sprintf("%s of %s", []string{"base", "tuned"}[i], p.Name), Path: m, Digest: []string{p.base, p.tuned}[i]}})
		}
	}
	var ids []string
	for _, c := range g.all() {
		ids = append(ids, c.id)
	}
	plan.Candidates = asJSON(ids)
	plan.Margins = asJSON(g.file.margins())
	bases := map[string]string{}
	for _, p := range g.pairs {
		for _, c := range p.candidates {
			bases[c.id] = p.baseID
		}
	}
	plan.Rule = asJSON(map[string]any{"general": g.file.General, "domain": g.file.Domain, "bases": bases, "questions": len(g.asked)})
	plan.Settings = asJSON(map[string]any{"eos": g.bench.EOS, "instructions": kernelIdentity()})
	return plan
}

// bench are the options of score that a grid gives.
func (g *gridFile) bench(memory int64) (benchOptions, error) {
	opt := benchOptions{chatSet: g.Chat, tasks: g.Tasks, data: g.Data, limit: int(g.Limit), sample: sampleOf(int(g.Sample)), maxTokens: int(g.Tokens), memory: memory,
		setting: task.Setting{Shots: -1, Chat: g.Chat, MultiTurn: true, ShuffleOptions: g.Shuffle}}
	if g.Shots != nil {
		opt.setting.Shots = int(*g.Shots)
	}
	for _, seed := range g.Seeds {
		opt.seeds = append(opt.seeds, int64(seed))
	}
	if len(opt.seeds) == 0 {
		opt.seeds = []int64{1234}
	}
	var err error
	opt.setting.Draw = task.Stock
	if g.Draw != "" {
		opt.setting.Draw, err = parseDraw("shots:", g.Draw)
	}
	return opt, err
}

// margins are the grid's.
func (g *gridFile) margins() margins {
	m := margins{}
	for name, v := range usualMargins {
		m[name] = v
	}
	if g.Margin > 0 {
		m = margins{"": g.Margin}
	}
	for name, v := range g.Margins {
		m[name] = v
	}
	return m
}

// sampleOf are so many items of every task; 0 is all.
func sampleOf(n int) samples {
	if n == 0 {
		return nil
	}
	return samples{"": n}
}
