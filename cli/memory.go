package cli

import (
	"github.com/pbnjay/memory"
	"github.com/urfave/cli/v2"
)

// memoryFlag is the flag of every command that runs models.
func memoryFlag() cli.Flag {
	return &cli.StringFlag{Name: "memory", DefaultText: "half of the machine's",
		Usage: "bytes for packed weights and the keys and values of a generation, as `4GiB`; layers that do not fit are read again for every pass"}
}

// memoryOf reads the flag, or takes half of the machine's memory.
func memoryOf(c *cli.Context) (int64, error) {
	text := c.String("memory")
	if text == "" {
		return int64(memory.TotalMemory() / 2), nil
	}
	size, err := parseBytes("--memory", text)
	if err == nil && size == 0 {
		err = usagef("--memory 0: want some bytes, such as 4GiB")
	}
	return size, err
}
