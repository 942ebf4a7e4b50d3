package cli

import (
	"github.com/urfave/cli/v2"
)

func loraCommand(env environment) *cli.Command {
	command := &cli.Command{
		Name:  "lora",
		Usage: "extract, rescale, blend and isolate low-rank adapters",
		Description: `An adapter is a directory as PEFT saves it. It stands wherever a fine-tune does:
surgeon diff BASE ADAPTER, surgeon merge BASE ADAPTER --alpha 0.5, surgeon merge --alpha-sweep
BASE ADAPTER. These commands make adapters and change them without a dense copy.`,
		Subcommands: []*cli.Command{
			loraExtractCommand(env), loraShowCommand(env), loraRescaleCommand(env), loraTruncateCommand(env),
			loraAddCommand(env), loraSubtractCommand(env), loraShrinkCommand(env), loraApplyCommand(env), loraIsolateCommand(env),
		},
	}
	command.Action = func(c *cli.Context) error {
		if c.NArg() > 0 {
			return unknown(command.Subcommands, "surgeon lora", c.Args().First())
		}
		return cli.ShowSubcommandHelp(c)
	}
	return command
}
