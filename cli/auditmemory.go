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

// memory estimates what an audit of so many models takes: what the process holds after the
// pilot and the checkpoints that it has mapped, the answers, and what gradients take,
// twice, since one computation's memory waits for the collector while the next one takes
// its own.
func (a *auditing) memory(models int) (bytes int64) {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	bytes = int64(stats.Sys) + bytesOfAnswer*int64(models*len(a.asked))
	if a.frozen == "" {
		bytes += 2 * train.GradientMemory(a.bench.Config, train.GradientOptions{})
	}
	for _, model := range a.plan().Models {
		bytes += mapped(model.Path)
	}
	return bytes
}

// mapped is the size of a checkpoint's weights, 0 of an embedded one.
func mapped(model string) (bytes int64) {
	entries, err := os.ReadDir(model)
	if err != nil {
		return 0 // embedded, or one file: part of the program or small
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && filepath.Ext(e.Name()) == ".safetensors" {
			bytes += info.Size()
		}
	}
	return bytes
}
