package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/lora"
	"surgeon/merge"
)

func loraIsolateCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "isolate",
		Usage:     "keep the base as it is and the fine-tune beside it, as an adapter that a router switches on",
		ArgsUsage: "BASE CHEM",
		Description: `OUT gets the adapter (extracted from CHEM as surgeon lora extract does, or CHEM itself if it is
one) and isolation.json: which base it belongs to, by digests, and how vLLM and llama.cpp load
the two apart. With --tasks the proof is measured: with the adapter off every answer must be the
base's, bit for bit; with it on the --domain tasks are scored beside the fine-tune.

A router decides by the prompt which of the two answers: the nearest of the centroids of labelled
prompts in the base's own hidden states, of one layer. It is made of the prompts of the tasks,
or of --router FILE (JSON lines with "prompt" and "label", which is domain or general), and
tested on prompts that it has not seen (five folds). What it gets wrong is the risk that is left.

Examples:
   surgeon lora isolate base chem --rank 16 -o apart
   surgeon lora isolate base chem-lora --tasks pair_facts,pair_refusal --domain pair_chemistry_trained -o isolated`,
		Flags: common(append(benchFlags(),
			&cli.IntFlag{Name: "rank", Value: 16, Usage: "`N` directions of every matrix, where CHEM is no adapter"},
			&cli.StringFlag{Name: "dtype", Value: "F32", Usage: "store the factors as `TYPE`: F32, BF16 or F16"},
			&cli.StringFlag{Name: "embedding", Value: "low-rank", Usage: "`HOW` the input embedding goes: save, low-rank or skip"},
			&cli.StringFlag{Name: "rest", Value: "skip", Usage: "`HOW` norms and biases go: save or skip"},
			&cli.StringSliceFlag{Name: "domain", Usage: "the `TASKS` that the adapter is for, as a list; all others are general"},
			&cli.StringFlag{Name: "router", Usage: "labelled prompts in `FILE`.jsonl"},
			&cli.IntFlag{Name: "layer", DefaultText: "the middle one", Usage: "the router looks behind layer `N`, from 1"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "write into `OUT`, a folder"},
			&cli.BoolFlag{Name: "force", Usage: "replace an OUT that surgeon has written before"})...),
		Action: func(c *cli.Context) error {
			args, err := models(c, 2, 2, "a base and a fine-tune or an adapter")
			if err != nil {
				return err
			}
			opt, err := parseIsolate(c)
			if err != nil {
				return err
			}
			opt.command = append([]string{"surgeon", "lora"}, env.recorded()...)
			opt.progress = func(title, unit string) (func(done, total int64), func()) { return env.progress(c, title, unit) }
			return runIsolate(c.Context, env, opt, args[0], args[1])
		},
	}
}

// isolateOptions are the choices of lora isolate.
type isolateOptions struct {
	extractOptions
	domain []string
	router string
	layer  int // 0: the middle one
}

func parseIsolate(c *cli.Context) (opt isolateOptions, err error) {
	opt = isolateOptions{router: c.String("router"), layer: c.Int("layer"), domain: splitTasks(c.StringSlice("domain"))}
	opt.extractOptions = extractOptions{json: c.Bool("json"), embedding: c.String("embedding"), rest: c.String("rest"), out: c.String("out"), force: c.Bool("force"),
		score: c.IsSet("tasks") || len(opt.domain) > 0, ranks: lora.Ranks{Rank: c.Int("rank")}}
	switch {
	case opt.out == "":
		return opt, usagef("lora isolate needs -o OUT, the folder that gets the adapter")
	case opt.ranks.Rank < 1:
		return opt, usagef("--rank %d: want at least 1", opt.ranks.Rank)
	case opt.score && len(opt.domain) == 0:
		return opt, usagef("--tasks needs --domain TASKS: which of the tasks the adapter is for")
	case c.IsSet("layer") && opt.layer < 1:
		return opt, usagef("--layer %d: layers count from 1", opt.layer)
	}
	if err := opt.checkHow(); err != nil {
		return opt, err
	}
	if opt.dtype, err = parseFactors(c.String("dtype")); err != nil {
		return opt, err
	}
	if opt.bench, err = parseBench(c); err != nil {
		return opt, err
	}
	if opt.score {
		for _, name := range opt.domain {
			if !slices.Contains(opt.bench.tasks, name) {
				opt.bench.tasks = append(opt.bench.tasks, name)
			}
		}
	}
	return opt, nil
}

// isolation is what lora isolate says, its JSON, and most of isolation.json.
type isolation struct {
	Base    string       `json:"base"`
	Tuned   string       `json:"tuned"`
	Out     string       `json:"out"`
	Rank    int          `json:"rank"`
	Energy  *number      `json:"energy,omitempty"` // of a fine-tune: what the adapter holds
	Bytes   int64        `json:"bytes"`
	Servers []server     `json:"servers"`
	Loaders []loaded     `json:"loaders"`
	Proof   *proof       `json:"proof,omitempty"`
	Router  *routerTable `json:"router,omitempty"`
	Notes   []string     `json:"notes,omitempty"`

	in      *inputs
	adapter *lora.Adapter
}

// server is how a program loads base and adapter apart.
type server struct {
	Name     string   `json:"name"`
	Commands []string `json:"commands"`
	Problems []string `json:"problems,omitempty"`
}

func runIsolate(ctx context.Context, env environment, opt isolateOptions, baseName, tunedName string) error {
	in, err := openMerge(merge.Refuse, baseName, tunedName)
	if err != nil {
		return err
	}
	defer in.close()
	if err := in.checkApart(opt.out, opt.force, baseName, tunedName); err != nil {
		return err
	}
	s := &isolation{Base: baseName, Tuned: tunedName, Out: opt.out, Notes: in.notes(), in: in}
	if err := s.split(ctx, opt); err != nil {
		return err
	}
	if err := s.prove(ctx, env, opt); err != nil {
		return err
	}
	if err := s.write(ctx, opt); err != nil {
		return err
	}
	if opt.json {
		return env.printJSON(s)
	}
	return s.print(env)
}

// split makes the adapter, or takes the one that is given.
func (s *isolation) split(ctx context.Context, opt isolateOptions) error {
	if t := s.in.tuned[0]; t.adapter != nil {
		s.adapter = t.adapter
	} else {
		x := &extraction{Base: s.Base, Tuned: s.Tuned, in: s.in}
		if err := x.decompose(ctx, opt.extractOptions); err != nil {
			return err
		}
		if err := x.measure(ctx, opt.extractOptions); err != nil {
			return err
		}
		s.adapter, s.Energy = x.adapter, &x.Energy
		s.Notes = append(s.Notes, leftNotes(x.Left)...)
	}
	s.Rank, s.Bytes = s.adapter.Highest(), s.adapter.Bytes()
	for _, l := range s.adapter.Loaders() {
		s.Loaders = append(s.Loaders, loaded{l.Name, l.Problems})
	}
	s.Servers = s.servers()
	if s.in.base.embedded {
		s.Notes = append(s.Notes, fmt.Sprintf("%s is embedded: write it out to serve it: surgeon merge %s %s --alpha 0 -o %s", s.Base, s.Base, s.Tuned, s.Base))
	}
	return nil
}

// servers are the commands by which base and adapter are served apart.
func (s *isolation) servers() (list []server) {
	for _, l := range s.Loaders {
		switch l.Loader {
		case "vLLM":
			list = append(list, server{"vLLM", []string{fmt.Sprintf("vllm serve %s --enable-lora --max-lora-rank %d --lora-modules domain=%s", servedAs(s.Base), vllmRank(s.Rank), servedAs(s.Out))}, l.Problems})
		case "llama.cpp":
			list = append(list, server{"llama.cpp", []string{
				fmt.Sprintf("python convert_hf_to_gguf.py %s --outfile base.gguf", servedAs(s.Base)),
				fmt.Sprintf("python convert_lora_to_gguf.py --base %s %s --outfile domain.gguf", servedAs(s.Base), servedAs(s.Out)),
				"llama-server -m base.gguf --lora domain.gguf --lora-init-without-apply",
			}, l.Problems})
		}
	}
	return list
}

// vllmRank is the least of vLLM's values of --max-lora-rank that a rank fits.
func vllmRank(rank int) int {
	for _, most := range []int{8, 16, 32, 64, 128, 256, 320} {
		if rank <= most {
			return most
		}
	}
	return 512
}

// labelOf is the label of a task's prompts.
func (opt isolateOptions) labelOf(task string) string {
	if slices.ContainsFunc(opt.domain, func(name string) bool { return name == task || strings.HasSuffix(name, "/"+task) }) {
		return labelDomain
	}
	return labelGeneral
}
