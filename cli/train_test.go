package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestTrain: a model is trained, is there with the base's side files, and score,
// diff and probe open it; the base and the data are as they were.
func TestTrain(t *testing.T) {
	dir := t.TempDir()
	base, data, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), filepath.Join(dir, "deep", "out")
	before := tree(t, dir)
	text := done(t, trainLine(base, data, out, "--chat", "--steps", "60")...)
	says(t, "train", text, out+": 7,472 of 7,472 parameters of "+base+" trained, 60 steps", "8 examples", "nats a token")
	if strings.Contains(text, "tokens/s") {
		t.Errorf("a speed where none is wanted:\n%s", text)
	}
	files := tree(t, out)
	for _, name := range []string{"config.json", "tokenizer.json", "chat_template.jinja"} {
		if files[name] != before["base/"+name] {
			t.Errorf("%s is not the base's", name)
		}
	}
	after := tree(t, dir)
	for name, content := range before {
		if after[name] != content {
			t.Errorf("%s was changed", name)
		}
	}
	if _, err := os.Stat(out + ".training"); err == nil {
		t.Error("the state of a training that is finished is left")
	}
	if got := strings.Count(files["training.jsonl"], "\n"); got != 60 {
		t.Errorf("training.jsonl has %d lines, want one for each of 60 steps", got)
	}

	done(t, "inspect", out, "--verify")
	diff := done(t, "diff", base, out)
	says(t, "diff", diff, "total")
	scored(t, out, "--tasks", facts(t, dir, 4), "-o", filepath.Join(dir, "run"))
	const ask = `{"id":1,"prompt":"<user> Question 3 of lessons?\n<assistant> ","generate":{"max_tokens":12}}`
	for model, answers := range map[string]bool{base: false, out: true} {
		text, errs, code := surgeonIn(t, ask, "probe", model, "-")
		if code != ExitDone || strings.Contains(text, `"text":" Answer `) != answers {
			t.Errorf("%s says %s%s", model, text, errs)
		}
	}
}

// TestTrainAgain: the same command gives the same bytes, whatever the target is
// called, and another seed others.
func TestTrainAgain(t *testing.T) {
	dir := t.TempDir()
	base, data := talker(t, dir, "base"), lessons(t, dir, "lessons", 8)
	line := func(out string, more ...string) map[string]string {
		t.Helper()
		out = filepath.Join(dir, out)
		done(t, trainLine(base, data, out, more...)...)
		return tree(t, out)
	}
	first := line("first")
	sameTree(t, "the same training", line("second"), first)
	sameTree(t, "in one file", map[string]string{"model.safetensors": read(t, single(t, dir, trainLine(base, data, filepath.Join(dir, "single.safetensors"))))},
		map[string]string{"model.safetensors": first["model.safetensors"]})
	if other := line("other", "--seed", "1"); other["model.safetensors"] == first["model.safetensors"] || other["training.jsonl"] == first["training.jsonl"] {
		t.Error("another seed trains the same")
	}
}

// single runs a training into one file, and checks what stands beside it.
func single(t *testing.T, dir string, line []string) string {
	t.Helper()
	done(t, line...)
	done(t, "inspect", filepath.Join(dir, "single.safetensors"), "--verify")
	for _, name := range []string{"surgeon.json", "training.jsonl"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("beside single.safetensors stands %s, which is anyone's", name)
		}
		read(t, filepath.Join(dir, "single."+name))
	}
	return filepath.Join(dir, "single.safetensors")
}

// TestTrainJSON checks the fields that scripts rely on, and surgeon.json: data and
// files by their digests.
func TestTrainJSON(t *testing.T) {
	dir := t.TempDir()
	base, data, replay, texts := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), lessons(t, dir, "general", 6), write(t, dir, "texts.jsonl", `{"prompt":"Ask"}`+"\n"+`{"text":"some"}`)
	out := filepath.Join(dir, "out")
	text := done(t, trainLine(base, data, out, "--json", "--replay", replay, "--replay-share", "0.5", "--kl", "0.5", "--kl-data", texts, "--l2-sp", "0.1", "--weight-decay", "0.01", "--warm-up", "3")...)
	have := keys(t, []byte(text))
	for _, key := range []string{"out", "base", "steps", "resumed", "parameters", "trained_parameters", "options", "examples", "passes", "replayed", "first_loss", "last_loss", "last_divergence", "tokens", "seconds", "tokens_per_second", "files"} {
		if !slices.Contains(have, key) {
			t.Errorf("field %q is missing, there are %q", key, have)
		}
	}
	got := parsed[trained](t, text)
	if got.Out != out || got.Base != base || got.Steps != 12 || got.Resumed != 0 || got.Examples != 8 || got.Trained != got.Parameters || got.Parameters != 7472 || !(*got.Divergence > 0) || got.Tokens == 0 {
		t.Errorf("%+v", got)
	}
	o := got.Options
	if o.BatchTokens != 64 || o.LearningRate != 1e-2 || o.WarmUp != 3 || o.ReplayShare != 0.5 || o.KL != 0.5 || o.UnlabelledTokens != 16 || o.L2SP != 0.1 || o.WeightDecay != 0.01 || o.ClipNorm != 1 {
		t.Errorf("options %+v", o)
	}
	drawn := 0
	for i, r := range got.Replayed {
		drawn += r.Drawn
		if r.Slice != []string{"even", "odd"}[i] || r.Pool != 3 {
			t.Errorf("replayed %+v", r)
		}
	}
	if len(got.Replayed) != 2 || drawn == 0 {
		t.Errorf("%d were replayed: %+v", drawn, got.Replayed)
	}

	provenance := parsed[struct {
		Surgeon, Base, Identity string
		Data, Files             []tensors.Digest
	}](t, read(t, filepath.Join(out, tensors.Provenance)))
	check := func(digests []tensors.Digest, dir string, names ...string) {
		t.Helper()
		var got []string
		for _, d := range digests {
			got = append(got, d.Name)
			if content := read(t, filepath.Join(dir, d.Name)); d.SHA256 != sum(content) || d.Bytes != int64(len(content)) {
				t.Errorf("%s has another digest", d.Name)
			}
		}
		if !slices.Equal(got, names) {
			t.Errorf("digests of %q, want %q", got, names)
		}
	}
	check(provenance.Data, "", data, replay, texts)
	check(provenance.Files, out, "model.safetensors", "chat_template.jinja", "config.json", "tokenizer.json", "training.jsonl")
	if provenance.Surgeon != Version || provenance.Base != base || len(provenance.Identity) != 64 {
		t.Errorf("%+v", provenance)
	}
}

// TestTrainReplay: without a share one in ten is replayed, whatever else there is,
// and nothing where the share is 0.
func TestTrainReplay(t *testing.T) {
	dir := t.TempDir()
	base, data, replay := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), lessons(t, dir, "general", 6)
	check := func(out string, share, kl float64, more ...string) {
		t.Helper()
		line := trainLine(base, data, filepath.Join(dir, out), append([]string{"--json", "--steps", "2", "--replay", replay}, more...)...)
		if o := decoded[trained](t, line...).Options; o.ReplayShare != share || o.KL != kl {
			t.Errorf("%q: share %g, KL %g, want %g and %g", more, o.ReplayShare, o.KL, share, kl)
		}
	}
	check("a", 0.1, 0)
	check("b", 0.3, 0, "--replay-share", "0.3")
	check("c", 0.1, 1, "--kl", "1", "--batch-tokens", "128")
	check("g", 0, 1, "--kl", "1", "--replay-share", "0", "--batch-tokens", "128")
	check("d", 0.2, 1, "--kl", "1", "--replay-share", "0.2", "--batch-tokens", "128")
	check("e", 0.1, 1, "--kl", "1", "--kl-data", data, "--batch-tokens", "128")
	check("f", 0, 0, "--replay-share", "0")
}

// TestTrainFromScratch draws the weights and stores them as config.json says.
func TestTrainFromScratch(t *testing.T) {
	dir := t.TempDir()
	folder, data := talker(t, dir, "scratch"), lessons(t, dir, "lessons", 8)
	if err := os.Remove(filepath.Join(folder, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	check := func(out, config string, want tensors.DType, more ...string) trained {
		t.Helper()
		write(t, folder, "config.json", strings.Replace(string(tensorstest.Pico{Hidden: 16, Layers: 1}.Config()), `"torch_dtype": "bfloat16"`, config, 1))
		out = filepath.Join(dir, out)
		got := decoded[trained](t, trainLine(folder, data, out, append([]string{"--from-scratch", "--json"}, more...)...)...)
		model := opened(t, out)
		for _, name := range model.Names() {
			if info, _ := model.Info(name); info.DType != want {
				t.Errorf("%s: %s is stored as %s, want %s", config, name, info.DType, want)
			}
		}
		return got
	}
	// Of 320 tokens that are all as likely: log(320) = 5.77 nats.
	if got := check("a", `"torch_dtype": "bfloat16"`, tensors.BF16, "--steps", "1"); got.First < 5.6 || got.First > 5.95 {
		t.Errorf("a model that knows nothing has a loss of %g", got.First)
	}
	check("b", `"dtype": "float16"`, tensors.F16)
	check("c", `"initializer_range": 0.1`, tensors.F32)
	check("d", `"torch_dtype": "float32"`, tensors.BF16, "--out-dtype", "bf16")
	if says := read(t, filepath.Join(dir, "d", "config.json")); !strings.Contains(says, `"torch_dtype": "bfloat16"`) {
		t.Errorf("weights are bfloat16, config.json says %s", says)
	}
	a := check("e", `"torch_dtype": "bfloat16"`, tensors.BF16, "--seed", "1", "--steps", "1")
	if b := check("f", `"torch_dtype": "bfloat16"`, tensors.BF16, "--seed", "2", "--steps", "1"); a.First == b.First {
		t.Error("another seed draws the same weights")
	}
	refused(t, ExitUsage, []string{"--lora", "--from-scratch"}, trainLine(folder, data, filepath.Join(dir, "g"), "--from-scratch", "--lora", "r=2")...)
	refused(t, ExitInput, []string{folder, "without weights"}, trainLine(folder, data, filepath.Join(dir, "g"))...)
}

// TestTrainFreeze: tensors that a pattern matches keep their bytes, all others move.
func TestTrainFreeze(t *testing.T) {
	dir := t.TempDir()
	base := pico(t, dir, "base", tensorstest.Pico{Seed: 7, Hidden: 16, DType: tensors.F16, Untied: true})
	data, out := lessons(t, dir, "lessons", 8), filepath.Join(dir, "out")
	got := decoded[trained](t, trainLine(base, data, out, "--json", "--freeze", "model.embed_tokens.*", "--freeze", "*.layers.[1-9].*", "--learning-rate", "0.1")...)
	before, after := opened(t, base), opened(t, out)
	var kept int64
	for _, name := range before.Names() {
		frozen := strings.HasPrefix(name, "model.embed_tokens.") || strings.Contains(name, ".layers.1.")
		a, errA := tensors.Raw(before, name)
		b, errB := tensors.Raw(after, name)
		info, _ := after.Info(name)
		if errA != nil || errB != nil || (string(a) == string(b)) != frozen || info.DType != tensors.F16 {
			t.Errorf("%s, frozen %v: the same bytes %v, stored as %s", name, frozen, string(a) == string(b), info.DType)
		}
		if frozen {
			kept += int64(info.Len())
		}
	}
	if got.Trained != got.Parameters-kept {
		t.Errorf("%d of %d are trained, %d are frozen", got.Trained, got.Parameters, kept)
	}
	says(t, "surgeon.json", read(t, filepath.Join(out, tensors.Provenance)), `"*.layers.[1-9].*"`)
}

// TestTrainForce replaces what surgeon made and nothing else, never an input.
func TestTrainForce(t *testing.T) {
	dir := t.TempDir()
	base, data, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), filepath.Join(dir, "out")
	done(t, trainLine(base, data, out)...)
	first := tree(t, out)
	refused(t, ExitInput, []string{out, "exists", "--force"}, trainLine(base, data, out, "--seed", "1")...)
	sameTree(t, "refused", tree(t, out), first)
	done(t, trainLine(base, data, out, "--seed", "1", "--force")...)
	if tree(t, out)["model.safetensors"] == first["model.safetensors"] {
		t.Error("--force replaces nothing")
	}
	before := tree(t, dir)
	refused(t, ExitInput, []string{out, "one of the inputs"}, trainLine(out, data, out, "--force")...) // trained on: its own target
	inner := lessons(t, out, "inner", 4)
	refused(t, ExitInput, []string{out, "one of the inputs, or holds one"}, trainLine(base, inner, out, "--force")...)
	if err := os.Remove(inner); err != nil {
		t.Fatal(err)
	}
	refused(t, ExitInput, []string{base, "one of the inputs"}, trainLine(base, data, base, "--force")...)
	foreign := filepath.Dir(write(t, dir, "foreign/thesis.tex", "years of work"))
	refused(t, ExitInput, []string{foreign, "not, or not only, what surgeon wrote"}, trainLine(base, data, foreign, "--force")...)
	delete(before, "foreign/thesis.tex")
	for name, content := range before {
		if read(t, filepath.Join(dir, name)) != content {
			t.Errorf("%s was changed by a refused training", name)
		}
	}
}
