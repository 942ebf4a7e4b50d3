package cli

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestTrainUsage: command lines that say what cannot be done, each with one line
// that names the flag.
func TestTrainUsage(t *testing.T) {
	dir := t.TempDir()
	data, out := lessons(t, dir, "lessons", 4), filepath.Join(dir, "out")
	check := func(says string, args ...string) {
		t.Helper()
		refused(t, ExitUsage, []string{says}, append([]string{"train"}, args...)...)
	}
	check("--data FILE.jsonl", "base", "-o", out)
	check("-o OUT", "base", "--data", data)
	check("a base, and 0 were given", "--data", data, "-o", out)
	check("a base, and 2 were given", "base", "chem", "--data", data, "-o", out)
	with := func(says string, more ...string) {
		t.Helper()
		check(says, append([]string{"base", "--data", data, "-o", out}, more...)...)
	}
	with("--steps 0: want at least 1", "--steps", "0")
	with("--steps -1: want at least 1", "--steps", "-1")
	with("steps", "--steps", "many")
	with("--batch-tokens 1: want at least 2", "--batch-tokens", "1")
	with("--batch-tokens 0: want at least 2", "--batch-tokens", "0")
	with("--learning-rate 0: want a positive number", "--learning-rate", "0")
	with("--learning-rate NaN: want a positive number", "--learning-rate", "NaN")
	with("--learning-rate +Inf: want a finite number", "--learning-rate", "Inf")
	with("--warm-up -1: want 0 or more", "--warm-up", "-1")
	with("--weight-decay -0.1: want a finite number from 0", "--weight-decay", "-0.1")
	with("--clip NaN: want a finite number from 0", "--clip", "NaN")
	with("--clip +Inf: want a finite number from 0", "--clip", "Inf")
	with("--l2-sp -1: want a finite number from 0", "--l2-sp", "-1")
	with("--kl -1: want a finite number from 0", "--kl", "-1")
	with("--kl needs --kl-data FILE.jsonl, or --replay", "--kl", "1")
	with("--kl-data needs --kl WEIGHT", "--kl-data", data)
	with("--replay-share needs --replay FILE.jsonl", "--replay-share", "0.1")
	with("--replay-share 1: want from 0 to below 1", "--replay", data, "--replay-share", "1")
	with("--replay-share NaN: want from 0 to below 1", "--replay", data, "--replay-share", "NaN")
	with("--checkpoint-every -1: want 0 or more", "--checkpoint-every", "-1")
	with("--seed -1: want a whole number from 0", "--seed", "-1")
	with("--freeze [a: not a pattern", "--freeze", "[a")
	with("--freeze lm_head.* matches no tensor of base: surgeon inspect lists them", "--freeze", "lm_head.*")
	with("--freeze layers.0 matches no tensor of base", "--freeze", "model.norm.*", "--freeze", "layers.0")
	with("--out-dtype F8: want F32, BF16 or F16", "--out-dtype", "F8")
	with(`--lora rank=4: "rank=4" is not understood: want r=16,alpha=32,targets=q_proj+v_proj`, "--lora", "rank=4")
	with(`"alpha" is not understood`, "--lora", "r=4,alpha")
	with(`"r=four" is not understood`, "--lora", "r=four")
	with(`"" is not understood`, "--lora", "")
	with("want a rank of at least 1, r=16", "--lora", "alpha=3")
	with("want a rank of at least 1, r=16", "--lora", "r=0")
	with("--freeze does not go with --lora", "--lora", "r=2", "--freeze", "model.norm.*")
	with("--lora r=2,targets=lm_head: there is no projection \"lm_head\" to adapt: there are q_proj,", "--lora", "r=2,targets=lm_head")
	with(`no projection ""`, "--lora", "r=2,targets=")
	for _, alpha := range []string{"-1", "0", "nan", "Inf"} {
		with("--lora r=2,alpha="+alpha+": want a finite alpha above 0", "--lora", "r=2,alpha="+alpha)
	}
	with("--batch-tokens 1048577: want at least 2 and at most 1048576", "--batch-tokens", "1048577")
	// What a model decides is said before data are read, which need not be there.
	unread := filepath.Join(dir, "unread.jsonl")
	check("--lora with base: LoRA of rank 999: want from 1 to ", "base", "--data", unread, "-o", out, "--lora", "r=999")
	check("--freeze: every tensor of base is frozen", "base", "--data", unread, "-o", out, "--freeze", "*")
	check("--freeze: every tensor of base is frozen", "base", "--data", unread, "-o", out, "--freeze", "model.norm.*", "--freeze", "model.[el]*")
	check("an adapter is a folder", "base", "--data", data, "-o", out+".safetensors", "--lora", "r=2")
	untrained(t, "wrong command lines", out)
}

// TestTrainBadInput: files and models that cannot be used, each with one line that
// names the file, the line and the rule; nothing is left.
func TestTrainBadInput(t *testing.T) {
	dir := t.TempDir()
	base, data, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 4), filepath.Join(dir, "target", "out")
	if err := os.Mkdir(filepath.Dir(out), 0o777); err != nil {
		t.Fatal(err)
	}
	n := 0
	file := func(lines ...string) string {
		n++
		return write(t, dir, "bad"+string(rune('a'+n))+".jsonl", strings.Join(lines, "\n"))
	}
	const good = `{"prompt":"a","completion":" b"}`
	check := func(says []string, args ...string) {
		t.Helper()
		refused(t, ExitInput, says, append([]string{"train", "-o", out}, args...)...)
		untrained(t, strings.Join(args, " "), out)
	}
	bad := func(path string, says ...string) {
		t.Helper()
		check(append(says, path), base, "--data", path)
		check(append(says, path), base, "--data", data, "--replay", path)
		check(append(says, path), base, "--data", data, "--data", path, "--chat")
	}
	bad(filepath.Join(dir, "none.jsonl"), "none.jsonl: no such file")
	bad(dir, "is a directory")
	bad(file(""), "no lines: want one JSON object a line")
	bad(file(good, good, `{"prompt":`), ":3: unexpected end of JSON input")
	bad(file(good, "", `{"prompt":7}`), `:3: "prompt" must be text, not number`)
	bad(file(good, `{"prompt":"no completion"}`), ":2: nothing of the line is learned: want a completion")
	bad(file(`{"prompt":"x","completion":""}`), ":1: nothing of the line is learned")
	bad(file(good, `{"question":"a"}`), ":2: want either prompt and completion, or messages, or text")
	bad(file(`[1]`), ":1: must be an object, not array")
	long := strings.Repeat("word ", 2000)
	bad(file(`{"text":"`+long+`"}`), "every line is longer than 512 tokens", "raise --batch-tokens or split the lines")
	messages := file(`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`)
	check([]string{messages + ":1: ", "needs a model with a chat template"}, base, "--data", messages)
	check([]string{data, "every line is longer than 3 tokens"}, base, "--data", data, "--batch-tokens", "3")
	check([]string{data, "every line is longer than 16 tokens"}, base, "--data", data, "--kl", "1", "--kl-data", data, "--batch-tokens", "64")

	check([]string{"nowhere", "no such file"}, "nowhere", "--data", data)
	check([]string{"chat template"}, "base", "--data", data, "--chat")
}

// TestTrainBadBase: bases that cannot be trained.
func TestTrainBadBase(t *testing.T) {
	dir := t.TempDir()
	data, out := lessons(t, dir, "lessons", 4), filepath.Join(dir, "target", "out")
	if err := os.Mkdir(filepath.Dir(out), 0o777); err != nil {
		t.Fatal(err)
	}
	check := func(base string, says ...string) {
		t.Helper()
		refused(t, ExitInput, says, trainLine(base, data, out)...)
		untrained(t, base, out)
	}
	small := tensorstest.Pico{Seed: 7, Hidden: 16, Layers: 1}
	without := func(name string) string {
		t.Helper()
		path := pico(t, dir, "without "+strings.TrimSuffix(name, ".safetensors"), small)
		if err := os.Remove(filepath.Join(path, name)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	check(without("tokenizer.json"), "tokenizer.json: not there")
	check(without("config.json"), "config.json: not there")
	check(without("model.safetensors"), "without weights")
	check(variant(t, dir, "gelu", small, nil, `"silu"`, `"gelu"`), "gelu", "config.json")
	check(variant(t, dir, "wide", small, nil, `"hidden_size": 16`, `"hidden_size": 32`), "wide", `tensor "model.embed_tokens.weight" has shape [320 16]`)
	nan := variant(t, dir, "nan", small, func(m *tensorstest.Memory) {
		m.Add(finalNorm, tensors.BF16, []int{16}, append(make([]float32, 15), float32(math.NaN())))
	})
	check(nan, nan, `tensor "model.norm.weight" holds a value that is not finite`)
	broken := talker(t, dir, "broken")
	write(t, broken, "chat_template.jinja", "{% for m in messages %}")
	refused(t, ExitInput, []string{filepath.Join(broken, "chat_template.jinja")}, trainLine(broken, data, out, "--chat")...)
	refusing := talker(t, dir, "refusing")
	write(t, refusing, "chat_template.jinja", "{{ raise_exception('only in turn') }}")
	refused(t, ExitInput, []string{data + ":1: ", "only in turn"}, trainLine(refusing, data, out, "--chat")...)
	lora := adapter(t, dir, 1, 2)
	check(lora, "is a LoRA adapter")
	untrained(t, "bad templates", out)
}

// TestTrainLongLines: lines that no batch holds are left out, and a note says how
// many.
func TestTrainLongLines(t *testing.T) {
	dir := t.TempDir()
	base, out := pico(t, dir, "base", tensorstest.Pico{Seed: 7, Hidden: 16, Layers: 1}), filepath.Join(dir, "out")
	long := `{"text":"` + strings.Repeat("word ", 60) + `"}`
	data := write(t, dir, "data.jsonl", `{"prompt":"a","completion":" b"}`+"\n"+long+"\n"+long+"\n"+`{"prompt":"c","completion":" d"}`+"\n")
	note := "2 lines of " + data + " longer than 64 tokens, the most that a batch and the model's context hold, left out"
	text := done(t, trainLine(base, data, out)...)
	says(t, "train", text, "2 examples", "note: "+note)
	says(t, "surgeon.json", read(t, filepath.Join(out, tensors.Provenance)), note)
	if got := decoded[trained](t, trainLine(base, data, out, "--force", "--json")...); len(got.Notes) != 1 || got.Notes[0] != note || got.Examples != 2 {
		t.Errorf("%d examples, notes %q", got.Examples, got.Notes)
	}
}

// TestTrainDiverges: a rate that is far too high stops with the step and what to do.
func TestTrainDiverges(t *testing.T) {
	dir := t.TempDir()
	base, data, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 4), filepath.Join(dir, "out")
	line := trainLine(base, data, out, "--learning-rate", "1e30")
	for range 2 { // the same command does the same
		refused(t, ExitInput, []string{"step 2: loss ", "not finite; a lower learning rate than 1e+30 may help"}, line...)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a model is written")
	}
	done(t, trainLine(base, data, out)...) // with another rate it begins anew
}

// TestTrainTargets: targets that cannot be written are refused before any work, and
// no state is left.
func TestTrainTargets(t *testing.T) {
	dir := t.TempDir()
	base, data := talker(t, dir, "base"), lessons(t, dir, "lessons", 4)
	write(t, dir, "file", "x")
	for _, out := range []string{"file/out", "file"} {
		refused(t, ExitInput, []string{filepath.Join(dir, out)}, trainLine(base, data, filepath.Join(dir, out))...)
		refused(t, ExitInput, []string{filepath.Join(dir, out)}, trainLine(base, data, filepath.Join(dir, out), "--lora", "r=2")...)
		untrained(t, out, filepath.Join(dir, "file", "out"))
	}
	if read(t, filepath.Join(dir, "file")) != "x" {
		t.Error("a file was replaced")
	}
	readOnly := mounted(t, "ro,size=1m")
	for _, name := range []string{"out", "out.safetensors", "deep/out"} {
		refused(t, ExitInput, []string{filepath.Join(readOnly, name), "read-only file system"}, trainLine(base, data, filepath.Join(readOnly, name))...)
	}
	refused(t, ExitInput, []string{filepath.Join(readOnly, "out"), "read-only file system"}, trainLine(base, data, filepath.Join(readOnly, "out"), "--lora", "r=2")...)
}
