// Command surgeon operates on the weights of language models: what moved
// between two checkpoints, what a merge of them would score. Run it without
// arguments for its commands.
package main

import (
	"os"

	"surgeon/cli"
)

func main() { os.Exit(cli.Main()) }
