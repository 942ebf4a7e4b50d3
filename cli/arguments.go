package cli

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// defaultSweep is what --alpha-sweep means without a value.
const defaultSweep = "0:1:0.1"

// numbers matches a sweep given as an argument of its own: --alpha-sweep 0:1:0.5.
var numbers = regexp.MustCompile(`^[-+]?[.0-9][-+.0-9eE]*([:,][-+.0-9eE]+)*$`)

// wrongValue is what package flag says of a value that it cannot read.
var wrongValue = regexp.MustCompile(`^invalid (?:boolean )?value "([^"]*)" for (?:flag )?-+([^:]+): (.*)$`)

// arrange puts a command's flags before its positional arguments: urfave/cli
// stops at the first positional and would take flags after it for models. It
// also gives --alpha-sweep, whose value may be left out, its default.
// Everything after "--" is positional.
func arrange(app *cli.App, args []string) ([]string, error) {
	if len(args) == 0 {
		return args, nil
	}
	if args[0] == "help" {
		return append(args[1:len(args):len(args)], "--help"), nil
	}
	command := app.Command(args[0])
	if command == nil {
		return args, nil
	}
	names, rest := args[:1:1], args[1:]
	for len(rest) > 0 {
		below := command.Command(rest[0])
		if below == nil {
			break
		}
		command, names, rest = below, append(names, rest[0]), rest[1:]
	}
	name := strings.Join(names, " ")
	var flags, positional []string
	for len(rest) > 0 {
		arg := dashed(rest[0])
		rest = rest[1:]
		switch {
		case arg == "--":
			positional, rest = append(positional, rest...), nil
		case arg == "--alpha-sweep" || arg == "-alpha-sweep":
			value := defaultSweep
			if len(rest) > 0 && numbers.MatchString(rest[0]) && !exists(rest[0]) {
				value, rest = rest[0], rest[1:]
			}
			flags = append(flags, arg+"="+value)
		case len(arg) < 2 || arg[0] != '-':
			positional = append(positional, arg)
		case !strings.Contains(arg, "=") && takesValue(command, arg):
			if len(rest) == 0 {
				return nil, usagef("%s needs a value: surgeon %s --help", arg, name)
			}
			if isFlag(command, dashed(rest[0])) {
				return nil, usagef("%s needs a value, and %s is a flag: surgeon %s --help", arg, rest[0], name)
			}
			flags, rest = append(flags, arg, rest[0]), rest[1:]
		default:
			flags = append(flags, arg)
		}
	}
	if slices.Contains(flags, "--help") || slices.Contains(flags, "-h") {
		positional = nil // the library would look for help on a command of that name
	}
	return slices.Concat(names, flags, []string{"--"}, positional), nil
}

// dashed spells the name of a flag with dashes: other programs write
// --num_fewshot.
func dashed(arg string) string {
	if !strings.HasPrefix(arg, "--") {
		return arg
	}
	name, value, given := strings.Cut(arg, "=")
	if name = strings.ReplaceAll(name, "_", "-"); given {
		name += "="
	}
	return name + value
}

// exists reports whether there is a file of that name: then it is a model.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// takesValue reports whether a flag of the command is followed by a value.
func takesValue(command *cli.Command, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	for _, flag := range command.Flags {
		if slices.Contains(flag.Names(), name) {
			_, isBool := flag.(*cli.BoolFlag)
			return !isBool
		}
	}
	return false
}

// isFlag reports whether an argument is one of the command's flags.
func isFlag(command *cli.Command, arg string) bool {
	name, dashed := strings.CutPrefix(arg, "-")
	return dashed && slices.ContainsFunc(command.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), strings.TrimPrefix(name, "-")) })
}

// onUsage turns a mistake that urfave/cli finds into a usageError, with the
// nearest flag where one was mistyped.
func onUsage(flags []cli.Flag) cli.OnUsageErrorFunc {
	return func(c *cli.Context, err error, _ bool) error {
		name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: ")
		if parts := wrongValue.FindStringSubmatch(err.Error()); parts != nil {
			want := "a number"
			switch {
			case parts[2] == "budget":
				want = "a time such as 30m or 1h"
			case strings.Contains(parts[3], "ParseBool"):
				want = "true or false"
			}
			return usagef("--%s %s: want %s", parts[2], parts[1], want)
		}
		if !unknown {
			return usageError{errors.New(err.Error())}
		}
		name = strings.TrimLeft(name, "-")
		if near := cli.SuggestFlag(flags, name, false); near != "" {
			return usagef("no flag --%s: did you mean %s?", name, near)
		}
		return usagef("no flag --%s: --help lists them", name)
	}
}
