package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"surgeon/cli/plot"
	"surgeon/probe/record"
)

// runCollect puts the shards of a grid together.
func runCollect(ctx context.Context, env environment, opt gridOptions, dirs []string) error {
	plan, err := record.ReadPlan(dirs[0])
	if err != nil {
		return err
	}
	for _, dir := range dirs[1:] {
		other, err := record.ReadPlan(dir)
		if err != nil {
			return err
		}
		if err := plan.Same(other); err != nil {
			return fmt.Errorf("%s and %s are no shards of one grid: %w", dirs[0], dir, err)
		}
	}
	folder, err := record.OpenFolder(opt.out, plan)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := ctx.Err(); err != nil {
			folder.Close()
			return err
		}
		if err := gather(folder, dir); err != nil {
			folder.Close()
			return err
		}
	}
	if err := folder.Close(); err != nil {
		return err
	}
	result, err := gridOf(opt.out)
	if err != nil {
		return err
	}
	if missing := result.missing(); len(missing) > 0 {
		return fmt.Errorf("%s: %s not scored, such as %s: a shard is missing or was stopped", opt.out, isOrAre(len(missing), "candidate"), some(missing))
	}
	return result.finish(env, opt, plan, nil)
}

// gather adds the answers of a shard to a folder.
func gather(folder *record.Folder, dir string) error {
	log, err := record.ReadLog(filepath.Join(dir, "log.jsonl"))
	if err != nil {
		return err
	}
	defer log.Close()
	return log.Each(func(r record.Record) error {
		if folder.Log.Has(r.Key) {
			return nil
		}
		return folder.Log.Append(r)
	})
}

func isOrAre(n int, thing string) string {
	if n == 1 {
		return "1 " + thing + " is"
	}
	return plural(n, thing) + " are"
}

// missing are the candidates that have no score.
func (g *gridResult) missing() (list []string) {
	for _, c := range g.Candidates {
		if c.Error != "" {
			list = append(list, c.ID)
		}
	}
	return list
}

// finish writes results and figures, and prints, with notes that are no results.
func (g *gridResult) finish(env environment, opt gridOptions, plan record.Plan, said []string) error {
	folder, err := record.OpenFolder(opt.out, plan)
	if err != nil {
		return err
	}
	err = folder.WriteResults(g)
	if closed := folder.Close(); err == nil {
		err = closed
	}
	if err == nil && len(g.General) > 0 && len(g.Domain) > 0 {
		err = g.draw(opt)
	} else if err == nil && opt.plot != "" {
		err = fmt.Errorf("%s: the front needs general and domain tasks: name them in the grid", opt.plot)
	}
	if err != nil {
		return err
	}
	g.Notes = slices.Concat(g.Notes, said)
	if opt.json {
		return env.printJSON(g)
	}
	return g.print(env)
}

// draw writes the front into the run folder, and where else it was asked for.
func (g *gridResult) draw(opt gridOptions) error {
	path := filepath.Join(opt.out, "figures", "front.svg")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if err := plot.Save(path, g.front()); err != nil || opt.plot == "" {
		return err
	}
	return plot.Save(opt.plot, g.front())
}
