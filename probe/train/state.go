package train

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"surgeon/probe/record"
	"surgeon/tensors"
)

// state is what is saved beside the values: where the run stands, and which one it
// is.
type state struct {
	Identity string  `json:"identity"`
	Step     int     `json:"step"`
	Cursor   cursor  `json:"cursor"`
	Options  Options `json:"options"`
	File     string  `json:"file"` // the values
}

const stateFile = "state.json"

// stateNames are the names of what Save makes: state.json, the values, and both
// while they are being written.
var stateNames = regexp.MustCompile(`^(state\.json|\.state\.json\..+|state-[0-9]+\.safetensors|\.state-[0-9]+\.safetensors\.partial)$`)

// StateFile reports whether a file of that name in a folder may be of Save.
func StateFile(name string) bool { return stateNames.MatchString(name) }

// RemoveState removes what Save made in a folder, and nothing else.
func RemoveState(dir string) error {
	err := os.Remove(filepath.Join(dir, stateFile)) // first: without it the rest is nothing
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return removeBut(dir, "")
}

// removeBut removes what Save made in a folder, but for state.json and the file
// that it names.
func removeBut(dir, keep string) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if name := entry.Name(); StateFile(name) && name != keep && name != stateFile {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, name))) // a .partial is a folder
		}
	}
	return err
}

// Save writes the state of a run into a folder, so that Restore goes on with the
// same bits: the values that are trained and their two moments in one file of
// safetensors, then state.json, which names it. Each is durable before the next
// step, and what an earlier Save left there is removed when the new state is
// complete. Where the state of this very step stands, nothing is written.
func (r *Run) Save(ctx context.Context, dir string) error {
	s := state{Identity: r.Identity(), Step: r.step, Cursor: r.draw.cursor, Options: r.options, File: fmt.Sprintf("state-%06d.safetensors", r.step)}
	if stands(dir, s) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	values := NewWeights()
	for _, p := range r.trained {
		values.Put("value."+p.name, p.shape, p.values)
		values.Put("first."+p.name, p.shape, p.first)
		values.Put("second."+p.name, p.shape, p.second)
	}
	path := filepath.Join(dir, s.File)
	if err := os.RemoveAll(filepath.Join(dir, "."+s.File+".partial")); err != nil { // of a Save that was killed
		return err
	}
	if _, err := tensors.Write(ctx, path, values, tensors.WriteOptions{Force: true}); err != nil { // over what a kill left
		return err
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := record.WriteFile(filepath.Join(dir, stateFile), append(data, '\n')); err != nil {
		return err
	}
	return removeBut(dir, s.File)
}

// stands reports whether a folder holds a state already.
func stands(dir string, want state) bool {
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	var have state
	if err != nil || json.Unmarshal(data, &have) != nil || have.Identity != want.Identity || have.Step != want.Step || have.File != want.File {
		return false
	}
	values, err := tensors.Open(filepath.Join(dir, have.File))
	return err == nil && values.Close() == nil
}

// Restore goes on with a run that Save stopped. It reports false where the folder
// holds none, and an error where it holds another run or a damaged one; the run is
// then not to be used.
func (r *Run) Restore(dir string) (bool, error) {
	path := filepath.Join(dir, stateFile)
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return false, fmt.Errorf("%s is damaged (%w): %s", path, err, beginAnew)
	}
	switch {
	case s.Identity != r.Identity():
		return false, fmt.Errorf("%s is the state of another training (of other data, another base or other options): %s", path, beginAnew)
	case s.Step < 0 || s.Step > r.options.Steps || !s.Cursor.fits(len(r.draw.replay)) || filepath.Base(s.File) != s.File:
		return false, fmt.Errorf("%s contradicts itself: %s", path, beginAnew)
	}
	if err := r.restoreValues(filepath.Join(dir, s.File)); err != nil {
		return false, err
	}
	r.step, r.draw.cursor = s.Step, s.Cursor
	return true, nil
}

// beginAnew is what to do with a state that cannot be used.
const beginAnew = "remove the folder to begin anew"

// restoreValues reads what is trained and its moments.
func (r *Run) restoreValues(path string) error {
	src, err := tensors.Open(path)
	if err != nil {
		return fmt.Errorf("%w: %s", err, beginAnew)
	}
	defer src.Close()
	for _, p := range r.trained {
		for _, part := range []struct {
			prefix string
			to     []float32
		}{{"value.", p.values}, {"first.", p.first}, {"second.", p.second}} {
			name := part.prefix + p.name
			info, ok := src.Info(name)
			if !ok || info.DType != tensors.F32 || !slices.Equal(info.Shape, p.shape) {
				return fmt.Errorf("%s has no tensor %q of float32 and shape %v: %s", path, name, p.shape, beginAnew)
			}
			if err := src.Read(part.to, name, 0); err != nil {
				return fmt.Errorf("%w: %s", err, beginAnew)
			}
		}
		p.version++
	}
	return nil
}

// Identity is a digest of all that decides what a run computes: options, the
// weights it began with and its data, token by token.
func (r *Run) Identity() string {
	if r.identity == "" {
		sum := sha256.New()
		options, err := json.Marshal(r.options)
		if err != nil {
			panic(err) // numbers, texts and lists of them
		}
		sum.Write(options)
		fmt.Fprintf(sum, "%+v", r.config)
		for _, p := range r.parameters {
			fmt.Fprintf(sum, "%s %v %v", p.name, p.shape, p.frozen)
			addFloats(sum, p.values)
		}
		for _, part := range [][]Example{r.data.Domain, r.data.Replay, r.data.Unlabelled} {
			addExamples(sum, part)
		}
		r.identity = hex.EncodeToString(sum.Sum(nil))
	}
	return r.identity
}

func addFloats(sum hash.Hash, values []float32) {
	buffer := make([]byte, 0, 1<<16)
	for len(values) > 0 {
		n := min(len(values), cap(buffer)/4)
		for _, v := range values[:n] {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
		}
		sum.Write(buffer)
		values, buffer = values[n:], buffer[:0]
	}
}

func addExamples(sum hash.Hash, examples []Example) {
	fmt.Fprintf(sum, "%d examples", len(examples))
	var buffer []byte
	for _, e := range examples {
		buffer = fmt.Appendf(buffer[:0], "%q %d ", e.Slice, len(e.Tokens))
		for i, id := range e.Tokens {
			learned := uint32(0)
			if e.Learned[i] {
				learned = 1
			}
			buffer = binary.LittleEndian.AppendUint32(buffer, uint32(id)<<1|learned)
		}
		sum.Write(buffer)
	}
}
