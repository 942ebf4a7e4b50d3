package tensors_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/tensors"
)

// The first bytes of files in which people have weights, each long enough for a
// header length.
var (
	ggufBytes   = append([]byte("GGUF\x03\x00\x00\x00"), make([]byte, 64)...)
	zipBytes    = append([]byte("PK\x03\x04\x00\x00\x08\x08\x00\x00\x00\x00\x00\x00"), make([]byte, 64)...)       // torch.save since 1.6
	pickleBytes = append([]byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"), make([]byte, 64)...) // torch.save before
)

// TestOtherFormats refuses what is not safetensors and says what to do: by the
// name of a file, by what a directory holds, and by the first bytes of a file
// that calls itself safetensors.
func TestOtherFormats(t *testing.T) {
	const torch, llama = "save_pretrained", "the safetensors checkpoint that it was converted from"
	check := func(name string, data []byte, advice string) {
		t.Run(name, func(t *testing.T) {
			dir := write(t, map[string][]byte{name: data, "config.json": []byte("{}")})
			path := filepath.Join(dir, name)
			c, err := tensors.Open(path)
			refused(t, c, err, path, advice)
			c, err = tensors.Open(dir)
			refused(t, c, err, dir, name, advice)
			c, err = tensors.OpenFS(os.DirFS(dir), "m")
			refused(t, c, err, "m", name, advice)
		})
	}
	for _, name := range []string{"pytorch_model.bin", "model.pt", "consolidated.00.pth"} {
		check(name, zipBytes, torch)
	}
	check("pytorch_model-00001-of-00002.bin", nil, torch)
	check("model-q4_k_m.gguf", ggufBytes, llama)
	check("model.safetensors", ggufBytes, llama)
	check("model.safetensors", zipBytes, torch)
	check("model.safetensors", pickleBytes, torch)
	check("weights.safetensors", ggufBytes, llama)
	check("model.safetensors", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"), "git lfs pull")
}

// TestPathAdvice gives advice for a path that is of another format, whichever
// way its ending is written, and none where none is known.
func TestPathAdvice(t *testing.T) {
	check := func(name, want string) {
		t.Helper()
		path := filepath.Join(write(t, map[string][]byte{name: zipBytes}), name)
		c, err := tensors.Open(path)
		refused(t, c, err, path, "not a .safetensors file", want)
	}
	check("model.ckpt", "save_pretrained")
	check("MODEL.PT", "save_pretrained")
	check("Model.GGUF", "converted from")
	check("model.npz", "model directory")
	check("model.safetensors.index", "model directory")
}

// TestHeadersOfOtherLengths: a header whose length begins with the bytes of
// another format is a header: 640 is how a pickle begins.
func TestHeadersOfOtherLengths(t *testing.T) {
	a := tensor("a", "U8", "[1]", "[0,1]")
	for _, length := range []int{0x0280, 0x4b50, 0x4747, 0x4755} { // 0x80 0x02, "PK", "GG", "UG"
		data := file("{"+a+strings.Repeat(" ", length-len(a)-2)+"}", 1)
		c, err := openBytes(data)
		closing(t, c, err)
		if len(c.Names()) != 1 {
			t.Errorf("a header of %d bytes: %q", length, c.Names())
		}
	}
}
