package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/probe/record"
	"surgeon/probe/stat"
)

func compareCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "compare",
		Usage:     "compare two runs item by item: what was lost, and how sure that is",
		ArgsUsage: "BASE_RUN TUNED_RUN",
		Description: `A run is a folder of surgeon score --out, a folder or samples_*.jsonl of lm-evaluation-harness,
a log of Inspect (.eval or .json), or CSV or JSON lines with task, item, seed, score and perhaps
cluster. Items are paired by name, or by hash. Differences are tuned minus base.

Every task gets one of four words, by a margin that was set before the run: RETAINED (a loss
of the margin is excluded), MATERIAL (the loss exceeds the margin), REGRESSED (a loss is shown,
whether it matters is open) or INCONCLUSIVE, with the number of items that would decide.

Examples:
   surgeon compare run-base run-chem
   surgeon compare --margin 0.02 --margin refusal=0.01 --flips 2 run-base run-chem`,
		Flags: common(
			&cli.StringSliceFlag{Name: "margin", DefaultText: "the plan's, or 0.02, 0.03 for gsm8k and ifeval, 0.01 for safety and refusal", Usage: "the largest loss that does not matter, a `SHARE`, or TASK=SHARE for one task; may be repeated"},
			&cli.IntFlag{Name: "flips", Usage: "list up to `N` items a task that were lost and won"},
			&cli.BoolFlag{Name: "all", Usage: "a row for every task of a group, such as the subjects of mmlu"},
			&cli.StringFlag{Name: "base-model", Usage: "the `NAME` of the model to take where BASE_RUN has several"},
			&cli.StringFlag{Name: "tuned-model", Usage: "the `NAME` of the model to take where TUNED_RUN has several"},
			&cli.BoolFlag{Name: "gate", Usage: "exit with 1 unless every task is RETAINED"},
		),
		Action: func(c *cli.Context) error {
			args, err := models(c, 2, 2, "two runs")
			if err != nil {
				return err
			}
			opt := compareOptions{flips: c.Int("flips"), all: c.Bool("all"), gate: c.Bool("gate"), json: c.Bool("json"),
				models: [2]string{c.String("base-model"), c.String("tuned-model")}}
			if opt.flips < 0 {
				return usagef("--flips %d: want 0 or more", opt.flips)
			}
			if opt.margins, err = parseMargins(c.StringSlice("margin")); err != nil {
				return err
			}
			return runCompare(env, opt, args[0], args[1])
		},
	}
}

type compareOptions struct {
	margins   margins
	flips     int
	all, gate bool
	json      bool
	models    [2]string
	options   func(stat.Options) (stat.Options, error) // nil: as they are
	looks     map[string][]float64                     // by task or group, of runs that were stopped
}

// at are the options for a task or group, of a run that may have been stopped by
// a look at it: then with the error that was spent over the looks.
func (o compareOptions) at(unit string) compareOptions {
	looks, stopped := o.looks[unit]
	if stopped && len(looks) > 0 && o.options == nil {
		o.options = func(options stat.Options) (stat.Options, error) {
			return stat.Sequential(options, stat.OBrienFleming, looks)
		}
	}
	return o
}

// margins are the largest losses that do not matter, by task; "" is for every
// other task. A nil map is the usual ones.
type margins map[string]float64

// usualMargins are those of a run that sets none, as shares.
var usualMargins = margins{"": 0.02, "gsm8k": 0.03, "ifeval": 0.03, "safety": 0.01, "refusal": 0.01}

func parseMargins(given []string) (margins, error) {
	if len(given) == 0 {
		return nil, nil
	}
	m := margins{}
	for _, text := range given {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			name, value = "", text
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || !(v > 0 && v < 1) {
			return nil, usagef("--margin %s: want a share such as 0.02 for 2 pp, or TASK=0.02", text)
		}
		if _, twice := m[name]; twice {
			return nil, usagef("--margin %s: a margin of %s stands there already", text, orEvery(name))
		}
		m[name] = v
	}
	return m, nil
}

// with puts margins that are given before these. A margin of every task replaces
// all.
func (m margins) with(given margins) margins {
	if _, all := given[""]; all {
		return given
	}
	both := maps.Clone(m)
	maps.Copy(both, given)
	return both
}

func orEvery(task string) string {
	if task == "" {
		return "every task"
	}
	return task
}

// of is the margin of a task, or of the longest group that its name begins with.
func (m margins) of(task string) float64 {
	best, margin := -1, m[""]
	for name, v := range m {
		if name != "" && len(name) > best && partOf(task, name) {
			best, margin = len(name), v
		}
	}
	return margin
}

// partOf reports whether a task is of a name, or part of a group of that name.
func partOf(task, name string) bool {
	return task == name || strings.HasPrefix(task, name+"_") || strings.HasPrefix(task, name+" (")
}

// check refuses a margin of a task that is not there.
func (m margins) check(tasks []string) error {
	for name := range m {
		known := func(task string) bool { return partOf(task, name) }
		if _, usual := usualMargins[name]; !usual && !slices.ContainsFunc(tasks, known) {
			return usagef("a margin is given for %s, and there is no such task: %s", name, meant(name, tasks))
		}
	}
	return nil
}

func runCompare(env environment, opt compareOptions, baseName, tunedName string) error {
	var runs [2]record.Run
	for i, name := range []string{baseName, tunedName} {
		run, err := record.Read(name)
		if err != nil {
			return err
		}
		if runs[i], err = oneModel(run, name, opt.models[i]); err != nil {
			return err
		}
	}
	var stops []string
	opt.looks, stops = looksOf(baseName, tunedName)
	result := comparison{Base: baseName, Tuned: tunedName, Sources: [2]string{runs[0].Source, runs[1].Source}}
	result.Notes = stops
	if a, b := runs[0].Plan, runs[1].Plan; a != nil && b != nil && len(a.Models) == 1 && len(b.Models) == 1 && a.Models[0].Digest == b.Models[0].Digest {
		result.Notes = append(result.Notes, "warning: both runs are of the same model")
	}
	for i, name := range []string{baseName, tunedName} {
		if p := runs[i].Plan; p != nil && len(runs[i].Records) < p.Questions && len(stops) == 0 {
			result.Notes = append(result.Notes, fmt.Sprintf("warning: %s is not finished: %d of %d answers are there, which are no random sample", name, len(runs[i].Records), p.Questions))
		}
	}
	if err := result.compare(opt, runs); err != nil {
		return err
	}
	var err error
	if opt.json {
		err = env.printJSON(result)
	} else {
		err = result.print(env, opt)
	}
	if err == nil && opt.gate && !result.retained() {
		return gateError{result.worst()}
	}
	return err
}

// looksOf reads from the results of run folders where looks at the scores ended
// tasks, and says so.
func looksOf(dirs ...string) (looks map[string][]float64, stops []string) {
	looks = map[string][]float64{}
	for _, dir := range dirs {
		data, err := os.ReadFile(filepath.Join(dir, "results.json"))
		var result struct{ Looks map[string]stop }
		if err != nil || json.Unmarshal(data, &result) != nil {
			continue
		}
		for _, unit := range slices.Sorted(maps.Keys(result.Looks)) {
			s := result.Looks[unit]
			if len(s.Looks) > 0 {
				looks[unit] = s.Looks
				stops = append(stops, fmt.Sprintf("%s: %s looked at it %d times and ended after %d of %d items: the intervals are those of the last look, for all looks together",
					unit, dir, len(s.Looks), s.Items, s.All))
			} else if s.Items < s.All {
				stops = append(stops, fmt.Sprintf("%s: %s asked %d of %d items, a random sample, before its time was used up", unit, dir, s.Items, s.All))
			}
		}
	}
	return looks, stops
}

// oneModel is the part of a run that one model answered.
func oneModel(run record.Run, path, name string) (record.Run, error) {
	all := run.Models()
	if name == "" && len(all) <= 1 {
		return run, nil
	}
	if name == "" {
		return run, usagef("%s has answers of %d models: name one with --base-model or --tuned-model: %s", path, len(all), some(all))
	}
	part := run.Select(name)
	if len(part.Records) == 0 {
		return run, fmt.Errorf("%s has no answers of a model %s, but of %s", path, name, some(all))
	}
	return part, nil
}

// gateError ends a command whose gate is not passed.
type gateError struct{ why string }

// Error implements error.
func (g gateError) Error() string { return "the gate is not passed: " + g.why }
