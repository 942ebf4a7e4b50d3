package decoder_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestTruncatedWhileScored shortens a model's file between Open and Score: an
// error that names the file, in whatever goroutine the missing page is.
func TestTruncatedWhileScored(t *testing.T) {
	p := tensorstest.Pico{}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if _, err := tensors.Write(t.Context(), path, p.Weights(), tensors.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	c, err := tensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m := mustOpen(t, picoConfig(t, p), c)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	// The embedding stands first and is still there; the last layer is not.
	if err := os.Truncate(path, info.Size()*2/3); err != nil {
		t.Fatal(err)
	}
	_, err = m.Score(context.Background(), []decoder.Request{{Prompt: []int32{0}, Logits: true}}, decoder.Options{})
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("error %v, want one that names %s", err, path)
	}
}
