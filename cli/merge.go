package cli

import (
	"context"
	"math"
	"strconv"

	"github.com/urfave/cli/v2"

	"surgeon/cli/table"
	"surgeon/tensors"
)

func mergeCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "merge",
		Usage:     "interpolate between a base and a fine-tune; score every alpha without writing one",
		ArgsUsage: "BASE CHEM",
		Description: `Task arithmetic: base + alpha * (CHEM - BASE), computed tensor by tensor, rounded once.
With --alpha-sweep every alpha is scored on the tasks and nothing is written; without
models it sweeps the embedded pair.

Examples:
   surgeon merge base chem --alpha 0.4 -o merged
   surgeon merge --alpha-sweep
   surgeon merge --alpha-sweep=0:1:0.25 base chem
   surgeon merge --alpha-sweep=0,0.5,1 base chem --json`,
		Flags: common(
			&cli.StringFlag{Name: "alpha", Usage: "the fine-tune's share `A`: 0 is the base, 1 is CHEM; below 0 and above 1 are legal"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "write the merged model to `OUT`, a directory or a .safetensors file"},
			&cli.StringFlag{Name: "alpha-sweep", Usage: "score `LOW:HIGH:STEP` or a list A,B,C instead of writing; 0:1:0.1 if left out"},
			&cli.StringSliceFlag{Name: "tasks", Usage: "multiple-choice items to score, a `FILE.jsonl` (id, prompt, choices, gold); may be repeated"},
			&cli.StringFlag{Name: "plot", Usage: "draw the sweep's curve into `FILE`.png or .svg"}),
		Action: func(c *cli.Context) error {
			if c.IsSet("alpha-sweep") {
				return sweepAction(env, c)
			}
			return mergeAction(env, c)
		},
	}
}

func mergeAction(env environment, c *cli.Context) error {
	args, err := models(c, 2, 2, "a base and a tuned model")
	if err != nil {
		return err
	}
	switch {
	case !c.IsSet("alpha"):
		return usagef("merge needs --alpha A, or --alpha-sweep")
	case c.String("out") == "":
		return usagef("merge needs -o OUT, where the merged model is written")
	case c.IsSet("tasks"), c.IsSet("plot"):
		return usagef("--tasks and --plot belong to --alpha-sweep")
	}
	alpha, err := strconv.ParseFloat(c.String("alpha"), 64)
	if err != nil || !(math.Abs(alpha) <= math.MaxFloat32) {
		return usagef("--alpha %q is not a number that float32 holds", c.String("alpha"))
	}
	opt := mergeOptions{json: c.Bool("json"), alpha: alpha, out: c.String("out")}
	opt.progress = func(title string) (func(done, total int64), func()) { return env.progress(c, title, "bytes") }
	return runMerge(c.Context, env, opt, args[0], args[1])
}

type mergeOptions struct {
	json     bool
	alpha    float64
	out      string
	progress func(title string) (step func(done, total int64), finish func())
}

// merged is what merge says of the model it wrote, and its JSON.
type merged struct {
	Out            string            `json:"out"`
	Base           string            `json:"base"`
	Tuned          string            `json:"tuned"`
	Alpha          number            `json:"alpha"`
	EffectiveAlpha number            `json:"effective_alpha"`
	Tensors        mergedTensors     `json:"tensors"`
	Bytes          int64             `json:"bytes"`
	Files          []tensors.Written `json:"files"`
	Notes          []string          `json:"notes,omitempty"`
}

type mergedTensors struct {
	Merged int `json:"merged"`
	Copied int `json:"copied"`
}

func runMerge(ctx context.Context, env environment, opt mergeOptions, baseName, tunedName string) error {
	p, err := openMerge(baseName, tunedName)
	if err != nil {
		return err
	}
	defer p.close()
	if err := tensors.Vacant(opt.out); err != nil {
		return err // before any work
	}
	result := merged{Out: opt.out, Base: baseName, Tuned: tunedName, Alpha: number(opt.alpha),
		Tensors: mergedTensors{p.coverage.Merged, len(p.base.Names()) - p.coverage.Merged}, Notes: p.mergeNotes()}
	if err := result.write(ctx, opt, p); err != nil {
		return err
	}
	if opt.json {
		return env.printJSON(result)
	}
	return result.print(env)
}

// write measures and writes the merged model.
func (m *merged) write(ctx context.Context, opt mergeOptions, p *pair) error {
	model, err := p.at(opt.alpha)
	if err != nil {
		return err
	}
	step, finish := opt.progress("measure")
	effective, err := model.EffectiveAlpha(ctx, step)
	finish()
	if err != nil {
		return err
	}
	m.EffectiveAlpha = number(effective)
	if strays(opt.alpha, effective) {
		m.Notes = append(m.Notes, strayNote)
	}
	step, finish = opt.progress("merge")
	m.Files, err = tensors.Write(ctx, opt.out, model, tensors.WriteOptions{Side: p.base.Dir(), Progress: step, Metadata: p.metadata(opt.alpha)})
	finish()
	for _, f := range m.Files {
		m.Bytes += f.Bytes
	}
	return err
}

func (m merged) print(env environment) error {
	env.printf("%s = %s + %v * (%s - %s)\n", m.Out, m.Base, float64(m.Alpha), m.Tuned, m.Base)
	env.printf("effective alpha %s after rounding to the stored type\n", table.Sig(float64(m.EffectiveAlpha), 5))
	env.printf("%d tensors merged, %d copied, %s written\n\n", m.Tensors.Merged, m.Tensors.Copied, table.Bytes(m.Bytes))
	rows := make([][]string, 0, len(m.Files))
	for _, f := range m.Files {
		rows = append(rows, []string{f.Name, table.Bytes(f.Bytes), f.SHA256[:16]})
	}
	if err := env.printTable([]table.Column{{Name: "file"}, {Name: "size", Right: true}, {Name: "sha256 (16 of 64 digits)"}}, rows); err != nil {
		return err
	}
	return env.footnotes(m.Notes)
}

// strayNote explains an effective alpha that is not the requested one.
const strayNote = "the effective alpha is more than 0.02 off: many changes are smaller than the stored type's resolution, " +
	"so rounding keeps or drops them whole"

func strays(alpha, effective float64) bool { return math.Abs(effective-alpha) > 0.02 }
