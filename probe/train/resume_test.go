package train_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/train"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestResume: a run that is stopped twice and goes on in new runs reports what an
// unbroken one reports and ends at its bits, whatever is trained.
func TestResume(t *testing.T) {
	for name, opt := range ways {
		whole := begun(t, tiny, tinyBase(), allData(), opt)
		want := stepped(t, whole, opt.Steps)
		dir := t.TempDir()
		var got []train.Report
		for _, steps := range []int{3, 1, 4} {
			r := begun(t, tiny, tinyBase(), allData(), opt)
			if resumed, err := r.Restore(dir); err != nil || resumed != (len(got) > 0) || r.Done() != len(got) {
				t.Fatalf("%s: restored at step %d: %v, %v", name, r.Done(), resumed, err)
			}
			got = append(got, stepped(t, r, steps)...)
			if err := r.Save(context.Background(), dir); err != nil {
				t.Fatal(err)
			}
			if len(got) == opt.Steps {
				sameState(t, name, r, whole)
				if r.Epochs() != whole.Epochs() || !slices.Equal(r.Doses(), whole.Doses()) {
					t.Errorf("%s: %g passes and %v, unbroken %g and %v", name, r.Epochs(), r.Doses(), whole.Epochs(), whole.Doses())
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: reports\n%v\nunbroken\n%v", name, got, want)
		}
		if want[0].Loss <= want[7].Loss {
			t.Errorf("%s: nothing is learned: %v", name, want)
		}
	}
}

// TestSaveLeavesOneState: an earlier state is gone, and so is what a kill between
// the two files left.
func TestSaveLeavesOneState(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "state")
	r := begun(t, tiny, tinyBase(), allData(), ways["full"])
	for range 3 {
		stepped(t, r, 2)
		if err := r.Save(context.Background(), dir); err != nil {
			t.Fatal(err)
		}
		if err := r.Save(context.Background(), dir); err != nil { // once more at the same step
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "state-000008.safetensors"), []byte("torn"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	stepped(t, r, 2)
	if err := os.WriteFile(filepath.Join(dir, "log.jsonl"), []byte("not its own"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := r.Save(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(files(t, dir)))
	if want := []string{"log.jsonl", "state-000008.safetensors", "state.json"}; !slices.Equal(got, want) {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
	again := begun(t, tiny, tinyBase(), allData(), ways["full"])
	if _, err := again.Restore(dir); err != nil || again.Done() != 8 {
		t.Errorf("restored at step %d: %v", again.Done(), err)
	}
}

// TestSaveCancelled keeps the state that was there.
func TestSaveCancelled(t *testing.T) {
	dir := t.TempDir()
	r := begun(t, tiny, tinyBase(), allData(), ways["full"])
	stepped(t, r, 2)
	if err := r.Save(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	stepped(t, r, 1)
	if err := r.Save(ctx, dir); err == nil {
		t.Error("a cancelled save gives no error")
	}
	for name, data := range before {
		if files(t, dir)[name] != data {
			t.Errorf("%s is another one after a save that was cancelled", name)
		}
	}
}

// TestRestoreRefusesAnother run by what decides its bits.
func TestRestoreRefusesAnother(t *testing.T) {
	dir := t.TempDir()
	opt := ways["replay, KL, pull"]
	r := begun(t, tiny, tinyBase(), allData(), opt)
	stepped(t, r, 2)
	if err := r.Save(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	check := func(what string, base tensors.Source, change func(d *train.Data, o *train.Options)) {
		t.Helper()
		data, o := allData(), opt
		change(&data, &o)
		resumed, err := begun(t, tiny, base, data, o).Restore(dir)
		if resumed || err == nil || !strings.HasPrefix(err.Error(), filepath.Join(dir, "state.json")+" is the state of another training") || !strings.HasSuffix(err.Error(), "remove the folder to begin anew") {
			t.Errorf("%s: %v, %v", what, resumed, err)
		}
	}
	same := tinyBase()
	check("another base", train.Initialise(tiny, 0.08, 4), func(*train.Data, *train.Options) {})
	check("a token", same, func(d *train.Data, _ *train.Options) { d.Domain[3].Tokens[2]++ })
	check("a mask", same, func(d *train.Data, _ *train.Options) { d.Domain[3].Learned[4] = false })
	check("an example less", same, func(d *train.Data, _ *train.Options) { d.Domain = d.Domain[1:] })
	check("another order", same, func(d *train.Data, _ *train.Options) { slices.Reverse(d.Domain) })
	check("a slice", same, func(d *train.Data, _ *train.Options) { d.Replay[0].Slice = "small" })
	check("a text", same, func(d *train.Data, _ *train.Options) { d.Unlabelled[0].Tokens[0]++ })
	check("an example in another part", same, func(d *train.Data, _ *train.Options) {
		d.Replay, d.Domain = append(d.Replay[:len(d.Replay):len(d.Replay)], d.Domain[0]), d.Domain[1:]
	})
	for what, change := range map[string]func(o *train.Options){
		"steps": func(o *train.Options) { o.Steps++ }, "batch": func(o *train.Options) { o.BatchTokens++ }, "rate": func(o *train.Options) { o.LearningRate *= 2 },
		"warm-up": func(o *train.Options) { o.WarmUp++ }, "decay": func(o *train.Options) { o.WeightDecay *= 2 }, "clip": func(o *train.Options) { o.ClipNorm = 1 },
		"seed": func(o *train.Options) { o.Seed++ }, "share": func(o *train.Options) { o.ReplayShare += 0.1 }, "KL": func(o *train.Options) { o.KL *= 2 },
		"pull": func(o *train.Options) { o.L2SP *= 2 }, "frozen": func(o *train.Options) { o.Frozen = frozenBelow }, "LoRA": func(o *train.Options) { o.LowRank = &train.LowRank{Rank: 1, Alpha: 1} },
	} {
		check(what, same, func(_ *train.Data, o *train.Options) { change(o) })
	}
}

// TestRestoreDamaged: each damage is one sentence that names the file and says
// what to do, and nothing panics.
func TestRestoreDamaged(t *testing.T) {
	r := begun(t, tiny, tinyBase(), allData(), ways["replay, KL, pull"])
	stepped(t, r, 2)
	good := saved(t, r)
	const values, state = "state-000002.safetensors", "state.json"
	check := func(says string, change func(dir string) error) {
		t.Helper()
		dir := t.TempDir()
		for name, data := range good {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		resumed, err := begun(t, tiny, tinyBase(), allData(), ways["replay, KL, pull"]).Restore(dir)
		if resumed || err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), dir) || !strings.HasSuffix(err.Error(), "remove the folder to begin anew") {
			t.Errorf("%v, error %v, want %q, the folder, and what to do", resumed, err, says)
		}
	}
	put := func(name, text string) func(dir string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666) }
	}
	replaced := func(old, to string) func(dir string) error {
		if !strings.Contains(good[state], old) {
			t.Fatalf("no %q in %s", old, good[state])
		}
		return put(state, strings.Replace(good[state], old, to, 1))
	}
	check("is damaged", put(state, good[state][:len(good[state])/2]))
	check("is damaged", put(state, ""))
	check("is damaged", put(state, "[]"))
	check("is the state of another training", put(state, "{}"))
	check("contradicts itself", replaced(`"step": 2`, `"step": 9`))
	check("contradicts itself", replaced(`"step": 2`, `"step": -1`))
	check("contradicts itself", replaced(`"file": "`, `"file": "../`))
	check("contradicts itself", replaced(`"drawn": `, `"drawn": -1`))
	check("contradicts itself", replaced("\"replay\": [\n      ", "\"replay\": [-1"))
	check("contradicts itself", replaced(`"replay": [`, `"replay": [0,`))
	check("no such file", func(dir string) error { return os.Remove(filepath.Join(dir, values)) })
	check("the file holds", put(values, good[values][:len(good[values])-9]))
	check("header", put(values, good[values][:40]))
	check("0 bytes", put(values, ""))
	check("is damaged", put(state, `{"cursor": 7}`))

	other := func(change func(m *tensorstest.Memory, name string, info tensors.Info, raw []byte)) func(dir string) error {
		return func(dir string) error {
			path := filepath.Join(dir, values)
			src, err := tensors.Open(path)
			if err != nil {
				return err
			}
			m := tensorstest.NewMemory()
			for _, name := range src.Names() {
				info, _ := src.Info(name)
				raw, err := tensors.Raw(src, name)
				if err != nil {
					return err
				}
				change(m, name, info, slices.Clone(raw))
			}
			if err := src.Close(); err != nil {
				return err
			}
			if err := os.Remove(path); err != nil {
				return err
			}
			_, err = tensors.Write(context.Background(), path, m, tensors.WriteOptions{})
			return err
		}
	}
	check(`has no tensor "first.model.norm.weight" of float32 and shape [32]`, other(func(m *tensorstest.Memory, name string, info tensors.Info, raw []byte) {
		if name != "first.model.norm.weight" {
			m.AddRaw(name, info, raw)
		}
	}))
	check(`has no tensor "value.model.embed_tokens.weight" of float32 and shape [48 32]`, other(func(m *tensorstest.Memory, name string, info tensors.Info, raw []byte) {
		if len(info.Shape) == 2 {
			info.Shape = []int{info.Shape[1], info.Shape[0]}
		}
		m.AddRaw(name, info, raw)
	}))
	check(`has no tensor "second.model.norm.weight"`, other(func(m *tensorstest.Memory, name string, info tensors.Info, raw []byte) {
		if name == "second.model.norm.weight" {
			info.DType, raw = tensors.BF16, raw[:len(raw)/2]
		}
		m.AddRaw(name, info, raw)
	}))
}

// TestRestoreNothing: a folder that is not there, or is empty, begins anew.
func TestRestoreNothing(t *testing.T) {
	r := begun(t, tiny, tinyBase(), allData(), ways["full"])
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if resumed, err := r.Restore(dir); resumed || err != nil {
			t.Errorf("%s: %v, %v", dir, resumed, err)
		}
	}
}
