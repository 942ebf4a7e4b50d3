package cli

import (
	"os"
	"path/filepath"
	"runtime"

	"surgeon/probe/train"
)

// bytesOfAnswer is what an answer takes in memory while the statistics are made, with
// what the collector has not taken yet: measured of 61,000 answers of the embedded audit,
// 280 MB.
const bytesOfAnswer = 4600

// memory estimates what an audit of so many models takes at most: what the process holds
// after the pilot and the checkpoints that it has mapped, the answers, and what gradients
// take, twice, since one computation's memory waits for the collector while the next one
// takes its own.
func (a *auditing) memory(models int) (bytes int64) {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	bytes = int64(stats.Sys) + bytesOfAnswer*int64(models*len(a.asked))
	if a.frozen == "" {
		bytes += 2 * train.GradientMemory(a.bench.Config, train.GradientOptions{})
	}
	return bytes + mapped(a.base) + mapped(a.tuned)
}

// mapped is the size of a checkpoint's weights, 0 of an embedded one.
func mapped(model string) (bytes int64) {
	files, err := filepath.Glob(filepath.Join(model, "*.safetensors"))
	if err != nil {
		return 0
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}
