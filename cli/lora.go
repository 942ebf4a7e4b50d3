package cli

import (
	"github.com/urfave/cli/v2"
)

func loraCommand(env environment) *cli.Command {
	return &cli.Command{
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
}
