// Package cli is the surgeon command: one file per command, each with its
// options, its flags and one run function that takes a context and an
// environment, so that tests call it in process.
//
// Tables with their footnotes, and JSON, go to standard output; errors and
// progress bars go to standard error, and there are no bars when it is not a
// terminal or with --quiet. Exit codes are those of the Exit constants.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"surgeon/cli/plot"
	"surgeon/cli/table"
	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// Exit codes of the command.
const (
	ExitDone        = 0
	ExitNegative    = 1
	ExitUsage       = 2 // the command line is wrong
	ExitInput       = 3 // a file or model is wrong, or the target cannot be written
	ExitInterrupted = 4 // Ctrl-C or a termination signal
)

// Version is the version of surgeon, set at build time.
var Version = "0.2.0"

// environment is where a command writes and how.
type environment struct {
	out, err    io.Writer
	in          io.Reader
	outTerminal bool     // out shows escape sequences: colour is allowed
	errTerminal bool     // err is a terminal: progress bars are allowed
	width       int      // columns of the terminal; 0 where out is none: nothing is shortened
	args        []string // of the command, as they were given
	timeless    bool     // what is measured in seconds is left out
}

// Main runs the command line of the process and returns its exit code.
// SURGEON_ISA=avx512|avx2|neon|generic chooses the instructions of the kernels,
// for measurements: the results are the same. SURGEON_ISA=amx is faster, where
// there is any, and differs in last digits. The first Ctrl-C or termination
// signal asks the command to stop; a second one kills it.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectorPercent)
	}
	if name := os.Getenv("SURGEON_ISA"); name != "" {
		if err := kernel.Use(name); err != nil {
			fmt.Fprintln(os.Stderr, "surgeon: SURGEON_ISA:", err)
			return ExitUsage
		}
	}
	return run(ctx, environmentOf(os.Stdout, os.Stderr), os.Args[1:])
}

// collectorPercent is how much of what is in use may be waiting for the collector beside
// it. What is in use is large and has few pointers, so that collecting twice as often as
// Go does takes no time that could be measured, and a fifth of the memory is saved.
const collectorPercent = 50

// environmentOf looks at the terminal and at NO_COLOR (no-color.org).
func environmentOf(out, err *os.File) environment {
	e := environment{out: out, err: err, in: os.Stdin}
	e.outTerminal = term.IsTerminal(int(out.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	e.errTerminal = term.IsTerminal(int(err.Fd())) && os.Getenv("TERM") != "dumb"
	if width, _, err := term.GetSize(int(out.Fd())); err == nil && width > 0 {
		e.width = width
	}
	return e
}

// run runs one command line and returns its exit code.
func run(ctx context.Context, env environment, args []string) int {
	if len(args) > 0 {
		env.args = args[1:]
	}
	app := newApp(env)
	args, err := arrange(app, args)
	if err == nil {
		err = app.RunContext(ctx, append([]string{"surgeon"}, args...))
	}
	return report(ctx, env, err)
}

// report prints an error, one sentence or one for each bad line, and returns the exit code.
func report(ctx context.Context, env environment, err error) int {
	var usage usageError
	var unfinished *tensors.Unfinished
	var stopped stopped
	var lines badLines
	var failed failures
	var gate gateError
	var halt halted
	var suspend suspended
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &usage):
		fmt.Fprintf(env.err, "surgeon: %s\n", table.Printable(err.Error()))
		return ExitUsage
	case ctx.Err() != nil && errors.As(err, &unfinished):
		fmt.Fprintf(env.err, "surgeon: interrupted: %d of %d shards are finished in %s: repeat the command with --resume to go on, or remove it\n",
			unfinished.Finished, unfinished.Shards, table.Printable(unfinished.Partial))
		return ExitInterrupted
	case ctx.Err() != nil && errors.As(err, &stopped):
		fmt.Fprintf(env.err, "surgeon: %s\n", table.Printable(stopped.say()))
		return ExitInterrupted
	case ctx.Err() != nil && errors.As(err, &suspend):
		env.complain(suspend.Error())
		return ExitInterrupted
	case ctx.Err() != nil && errors.As(err, &halt):
		env.complain(halt.Error())
		return ExitInterrupted
	case ctx.Err() != nil:
		fmt.Fprintln(env.err, "surgeon: interrupted: nothing was left half-written")
		return ExitInterrupted
	case errors.As(err, &lines):
		env.complain(lines.some()...)
		return ExitInput
	case errors.As(err, &gate):
		env.complain(gate.Error())
		return ExitNegative
	case errors.As(err, &failed):
		for _, candidate := range failed {
			env.complain(candidate.Error())
		}
		return ExitInput
	}
	fmt.Fprintf(env.err, "surgeon: %s\n", table.Printable(plainly(err)))
	return ExitInput
}

// plainly is an error without the names of system calls: "open x: no such file"
// is "x: no such file".
func plainly(err error) string {
	var of *fs.PathError
	if errors.As(err, &of) {
		return strings.Replace(err.Error(), of.Error(), of.Path+": "+of.Err.Error(), 1)
	}
	return err.Error()
}

// complain prints errors, one a line.
func (e environment) complain(errs ...string) {
	for _, err := range errs {
		fmt.Fprintf(e.err, "surgeon: %s\n", table.Printable(err))
	}
}

// usageError is a mistake on the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func newApp(env environment) *cli.App {
	app := &cli.App{
		Name:            "surgeon",
		Usage:           "see where weights moved, merge them, and score what was never written",
		Version:         Version,
		Writer:          env.out,
		ErrWriter:       env.err,
		HideHelpCommand: true,
		Description: `MODEL, BASE and CHEM are a model directory, a .safetensors file, a shard index, or the name
of an embedded model: "base" and "chem" are a pair to try things on. CHEM may also be the
directory of a LoRA adapter.

Exit codes: 0 done, 1 the gate of compare or audit is not passed, 2 usage, 3 bad input or unwritable target, 4 interrupted.`,
		DisableSliceFlagSeparator: true,
		Commands:                  []*cli.Command{inspectCommand(env), diffCommand(env), mergeCommand(env), scoreCommand(env), compareCommand(env), auditCommand(env), memoCommand(env), gridCommand(env), probeCommand(env), trainCommand(env), loraCommand(env), completionCommand(env)},
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              onUsage(nil),
	}
	app.Action = func(c *cli.Context) error {
		if c.NArg() > 0 {
			return unknownCommand(app, c.Args().First())
		}
		return cli.ShowAppHelp(c)
	}
	ours(app.Commands)
	return app
}

// ours gives commands, and those below them, our words for mistakes.
func ours(list []*cli.Command) {
	for _, command := range list {
		command.OnUsageError = onUsage(command.Flags)
		command.HideHelpCommand = true
		ours(command.Subcommands)
	}
}

func unknownCommand(app *cli.App, name string) error { return unknown(app.Commands, "surgeon", name) }

// unknown says that there is no command of a name in a list of commands of above.
func unknown(list []*cli.Command, above, name string) error {
	// The library answers with a sentence, also where nothing is near.
	_, near, _ := strings.Cut(cli.SuggestCommand(list, name), `"`)
	near, _, _ = strings.Cut(near, `"`)
	if slices.ContainsFunc(list, func(c *cli.Command) bool { return c.HasName(near) }) {
		return usagef("no command %q: did you mean %q? (%s --help lists them)", name, near, above)
	}
	return usagef("no command %q: %s --help lists them", name, above)
}

// common are the flags of every command.
func common(flags ...cli.Flag) []cli.Flag {
	return append(flags,
		&cli.BoolFlag{Name: "json", Usage: "print JSON instead of tables"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "no progress bar"})
}

// models returns the positional arguments, which must be between low and high
// in number.
func models(c *cli.Context, low, high int, what string) ([]string, error) {
	if n := c.NArg(); n < low || n > high {
		return nil, usagef("%s takes %s, and %d were given: surgeon %s --help", c.Command.Name, what, n, c.Command.Name)
	}
	return c.Args().Slice(), nil
}

// checkPlot refuses a figure of an unknown format before any work is done.
func checkPlot(c *cli.Context) error {
	if !c.IsSet("plot") {
		return nil
	}
	path := c.String("plot")
	if err := plot.Supported(path); err != nil {
		return usageError{err}
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("%s: its directory does not exist", path)
	}
	return nil
}
