package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"surgeon/tensors"
)

// vacant refuses a target that is one of some files or holds one, or that must
// not be replaced.
func vacant(out string, force bool, inputs []string) error {
	if err := apart(out, inputs); err != nil {
		return err
	}
	return tensors.Vacant(out, force)
}

// apart refuses a target that is one of some files or holds one.
func apart(out string, inputs []string) error {
	target, err := filepath.EvalSymlinks(out)
	if err == nil {
		target, err = filepath.Abs(target)
	}
	if err != nil {
		return nil // it is not there
	}
	file, err := os.Stat(target)
	if err != nil {
		return err
	}
	for _, path := range inputs {
		for { // the input and every directory above it
			if info, err := os.Stat(path); path == target || err == nil && os.SameFile(info, file) {
				return fmt.Errorf("%s: is one of the inputs, or holds one: choose another target", out)
			}
			if path == filepath.Dir(path) {
				break
			}
			path = filepath.Dir(path)
		}
	}
	return nil
}

// located is where a path is, as it was given and without links, from the root.
func located(path string) (list []string) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		if real, err = filepath.Abs(real); err == nil {
			list = append(list, real)
		}
	}
	if given, err := filepath.Abs(path); err == nil {
		list = append(list, given)
	}
	return list
}
