package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"surgeon/cli/plot"
	"surgeon/tensors"
	"surgeon/tensors/drift"
)

func diffCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "where the weights moved between a base and a fine-tune of it",
		ArgsUsage: "[BASE CHEM]",
		Description: `Without models it compares the embedded base and chem. Per layer and per part:
relative drift ||d||/||b||, 1-cosine, largest change, share of changed weights. With --svd K
also how the change of every matrix is spread over directions: its stable rank, the share of
the squared change that K directions hold, how many of the leading directions of the fine-tune
are new, and how much of the base's leading subspace is left.

Examples:
   surgeon diff
   surgeon diff base chem
   surgeon diff --tensors base chem
   surgeon diff base chem --svd 32
   surgeon diff base chem --plot drift.png --csv drift.csv
   surgeon diff --json base chem`,
		Flags: common(
			&cli.IntFlag{Name: "svd", Usage: "decompose the change of every matrix to rank `K`"},
			&cli.StringFlag{Name: "plot", Usage: "draw the drift map, layer by part, into `FILE`.png or .svg"},
			&cli.StringFlag{Name: "csv", Usage: "write every row, tensors included, into `FILE`.csv; - is standard output"},
			&cli.BoolFlag{Name: "tensors", Usage: "list every tensor"}),
		Action: func(c *cli.Context) error {
			args := orPair(c.Args().Slice())
			if len(args) != 2 {
				return usagef("diff takes a base and a tuned model, or none for the embedded pair, and %d were given: surgeon diff --help", len(args))
			}
			opt := diffOptions{json: c.Bool("json"), tensors: c.Bool("tensors"), plot: c.String("plot"), csv: c.String("csv"), svd: c.Int("svd")}
			if err := checkDiff(c, opt); err != nil {
				return err
			}
			opt.progress = func(title string) (func(done, total int64), func()) { return env.progress(c, title, "bytes") }
			return runDiff(c.Context, env, opt, args[0], args[1])
		},
	}
}

type diffOptions struct {
	json, tensors bool
	plot, csv     string
	svd           int // rank of the decompositions; 0 is none
	progress      func(title string) (step func(done, total int64), finish func())
}

// checkDiff refuses wrong options before any work is done.
func checkDiff(c *cli.Context, opt diffOptions) error {
	switch {
	case c.IsSet("svd") && opt.svd < 1:
		return usagef("--svd %d: want a rank of at least 1", opt.svd)
	case opt.json && opt.csv == "-":
		return usagef("--json and --csv - both go to standard output: choose one")
	case opt.csv != "" && opt.csv != "-" && filepath.Ext(opt.csv) != ".csv":
		return usagef("--csv %s: want a name that ends in .csv, or - for standard output", opt.csv)
	case opt.csv != "" && opt.csv != "-":
		if info, err := os.Stat(filepath.Dir(opt.csv)); err != nil || !info.IsDir() {
			return fmt.Errorf("%s: its directory does not exist", opt.csv)
		}
	}
	return checkPlot(c)
}

func runDiff(ctx context.Context, env environment, opt diffOptions, baseName, tunedName string) error {
	in, err := openInputs(baseName, tunedName)
	if err != nil {
		return err
	}
	defer in.close()
	d, err := measure(ctx, opt, in)
	if err != nil {
		return err
	}
	switch {
	case opt.json:
		err = env.printJSON(d.json())
	case opt.csv == "-":
		err = d.writeCSV(env.out)
	default:
		err = d.print(env, opt)
	}
	if err == nil && opt.csv != "" && opt.csv != "-" {
		err = d.saveCSV(opt.csv)
	}
	if err != nil || opt.plot == "" {
		return err
	}
	return plot.Save(opt.plot, driftMap(d.report, baseName, tunedName))
}

// difference is what diff has measured.
type difference struct {
	in        *inputs
	report    *drift.Report
	spectra   []drift.Spectrum
	reading   drift.Reading
	unmatched []tensors.Unmatched
}

func measure(ctx context.Context, opt diffOptions, in *inputs) (*difference, error) {
	t, d := in.tuned[0], &difference{in: in}
	delta := t.delta
	if t.model != nil {
		difference, err := tensors.Diff(in.base, t.model)
		if err != nil {
			return nil, err
		}
		delta, d.unmatched = difference, difference.Unmatched
	}
	if len(delta.Names()) == 0 {
		return nil, fmt.Errorf("%s and %s have no tensor in common that could be compared%s", in.base.name, t.name, firstOf(d.unmatched))
	}
	step, finish := opt.progress("diff")
	var err error
	d.report, err = drift.Measure(ctx, in.base, delta, drift.Options{Progress: step, Whole: t.adapter != nil})
	finish()
	if err != nil {
		return nil, err
	}
	if opt.svd > 0 {
		step, finish := opt.progress("svd")
		d.spectra, err = drift.Spectra(ctx, in.base, delta, opt.svd, step)
		finish()
		if err != nil {
			return nil, err
		}
	}
	d.reading = drift.Read(d.report, d.spectra)
	if t.adapter != nil { // then nothing need be guessed
		d.reading.Recipe = fmt.Sprintf("a LoRA adapter of rank %d", t.adapter.Highest())
	}
	return d, nil
}

// firstOf names the first tensor that has no partner.
func firstOf(unmatched []tensors.Unmatched) string {
	if len(unmatched) == 0 {
		return ""
	}
	return fmt.Sprintf(": tensor %q: %s", unmatched[0].Name, unmatched[0].Reason)
}
