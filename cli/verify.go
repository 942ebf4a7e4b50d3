package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"surgeon/cli/table"
	"surgeon/merge"
	"surgeon/tensors"
)

// verification is what inspect --verify has checked. What does not hold is an
// error and not in here.
type verification struct {
	Bytes      int64  `json:"bytes"`      // of weights, all read
	Nonfinite  int64  `json:"nonfinite"`  // weights that are no finite numbers
	Provenance string `json:"provenance"` // the file that names the digests; "" if there is none
	Files      int    `json:"files"`      // whose digests are those of the provenance
}

// verify reads every byte of a model.
func (i *inspection) verify(ctx context.Context, opt inspectOptions, m *model) error {
	if err := i.digestFiles(ctx, opt, m); err != nil {
		return err
	}
	v := &verification{Bytes: i.Bytes}
	step, finish := opt.progress("check values")
	var err error
	v.Nonfinite, err = merge.CountNonfinite(ctx, m, step)
	finish()
	if err != nil {
		return err
	}
	if err := v.compare(m, i.Files); err != nil {
		return err
	}
	i.Verified = v
	return nil
}

// compare holds the digests of a model's files against its provenance.
func (v *verification) compare(m *model, files []inspectedFile) error {
	name := tensors.Provenance
	if single, ok := strings.CutSuffix(filepath.Base(m.Path()), ".safetensors"); ok {
		name = single + "." + tensors.Provenance
	}
	data, err := fs.ReadFile(m.Dir(), name)
	if errors.Is(err, fs.ErrNotExist) && name != tensors.Provenance { // perhaps the file of a directory
		name = tensors.Provenance
		data, err = fs.ReadFile(m.Dir(), name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var p struct{ Files []tensors.Digest } // of a merge or a training
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err == nil && len(p.Files) == 0 {
		err = errors.New("it names no files")
	}
	if err != nil {
		return fmt.Errorf("%s: cannot be read as the provenance of a model: %w", m.File(name), err)
	}
	v.Provenance = name
	known := map[string]string{}
	for _, f := range p.Files {
		known[f.Name] = f.SHA256
		if err := v.compareFile(m, files, f); err != nil {
			return err
		}
	}
	for _, f := range files {
		if known[f.Name] == "" {
			return added(m, f.Name, name)
		}
	}
	if name != tensors.Provenance {
		return nil
	}
	side, err := tensors.SideFiles(m.Dir())
	for _, pattern := range []string{"[^.]*.safetensors", "*.bin"} {
		more, _ := fs.Glob(m.Dir(), pattern)
		side = append(side, more...)
	}
	for _, file := range side {
		if known[file] == "" {
			return added(m, file, name)
		}
	}
	return err
}

func added(m *model, file, provenance string) error {
	return fmt.Errorf("%s: is not one of the files that %s names: the model is not what surgeon wrote", m.File(file), provenance)
}

func (v *verification) compareFile(m *model, files []inspectedFile, want tensors.Digest) error {
	sum := ""
	if at := slices.IndexFunc(files, func(f inspectedFile) bool { return f.Name == want.Name }); at >= 0 {
		sum = files[at].SHA256
	} else {
		data, err := fs.ReadFile(m.Dir(), want.Name)
		if err != nil {
			return fmt.Errorf("%s: %s names it, but it cannot be read: %w", m.File(want.Name), v.Provenance, err)
		}
		sum = tensors.DigestBytes(want.Name, data).SHA256
	}
	if sum != want.SHA256 {
		return fmt.Errorf("%s: has the SHA-256 %s, and %s says %s: it was changed since surgeon wrote it", m.File(want.Name), sum[:16], v.Provenance, want.SHA256[:min(16, len(want.SHA256))])
	}
	v.Files++
	return nil
}

func (v *verification) print(env environment) {
	env.printf("verified      %s read, %d weights that are no finite numbers\n", table.Bytes(v.Bytes), v.Nonfinite)
	if v.Provenance == "" {
		env.printf("              no %s: there is nothing to compare the digests with\n", tensors.Provenance)
		return
	}
	env.printf("              %d files are what %s says\n", v.Files, v.Provenance)
}
