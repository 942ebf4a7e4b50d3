package tensors_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// A model is written, opened and compared with the one it was tuned from.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	base.Add("model.norm.weight", tensors.BF16, []int{3}, []float32{1, 1, 1})
	tuned.Add("model.norm.weight", tensors.BF16, []int{3}, []float32{1, 1.5, 0.75})
	tuned.Add("lm_head.weight", tensors.BF16, []int{1, 3}, []float32{0, 0, 0})

	path := filepath.Join(dir, "tuned")
	if _, err := tensors.Write(context.Background(), path, tuned, tensors.WriteOptions{}); err != nil {
		log.Fatal(err)
	}
	chem, err := tensors.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer chem.Close()

	diff, err := tensors.Diff(base, chem)
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range diff.Names() {
		info, _ := base.Info(name)
		values := make([]float32, info.Len())
		if err := diff.AddTo(values, name, 0, 1); err != nil {
			log.Fatal(err)
		}
		fmt.Println(tensors.KeyOf(name).Row(), info.DType, info.Shape, values)
	}
	for _, u := range diff.Unmatched {
		fmt.Printf("%s: %s\n", u.Name, u.Reason)
	}
	// Output:
	// norm BF16 [3] [0 0.5 -0.25]
	// lm_head.weight: the base has no such tensor
}
