//go:build linux || darwin

package tensors_test

import (
	"path/filepath"
	"slices"
	"testing"

	"surgeon/tensors"
)

// TestLocked: while one Write runs, another one to the same target is refused,
// also with Resume and Force, and leaves the first one as it is.
func TestLocked(t *testing.T) {
	for _, target := range []string{"out", "out.safetensors"} {
		for _, at := range []string{"model.embed_tokens.weight", block(8)} { // no shard finished, and four
			dir := t.TempDir()
			path := filepath.Join(dir, target)
			second := &watched{Source: blocks(9)}
			tries := 0
			first := &watched{Source: blocks(9), before: func(name string) error {
				if name != at {
					return nil
				}
				for _, change := range []func(*tensors.WriteOptions){
					func(*tensors.WriteOptions) {},
					func(o *tensors.WriteOptions) { o.Resume = true },
					func(o *tensors.WriteOptions) { o.Resume, o.Force, o.Identity = true, true, "another" },
				} {
					opt := resumable()
					change(&opt)
					_, err := tensors.Write(t.Context(), path, second, opt)
					refused(t, nil, err, path, "another process", filepath.Join(dir, "."+target+".partial"))
					tries++
				}
				return nil
			}}
			opt := resumable()
			opt.Beside = nil
			if _, err := tensors.Write(t.Context(), path, first, opt); err != nil {
				t.Fatal(err)
			}
			if tries != 3 || len(second.reads) > 0 {
				t.Errorf("%d tries read %v", tries, second.reads)
			}
			sameTree(t, path, unbroken(t, blocks(9), target, opt))
			if got := entries(t, dir); !slices.Equal(got, []string{target}) {
				t.Errorf("left %q", got)
			}
		}
	}
}
