package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

func TestParseBytes(t *testing.T) {
	check := func(text string, want int64) {
		t.Helper()
		if got, err := parseBytes("--shard-size", text); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	check("0", 0)
	check("1", 1)
	check("1000", 1000)
	check("7B", 7)
	check("5GB", 5e9)
	check("5G", 5e9)
	check("5 GB", 5e9)
	check("2GiB", 2<<30)
	check("2Gi", 2<<30)
	check("1.5MB", 1_500_000)
	check("1.5MiB", 3<<19)
	check("64KB", 64_000)
	check("1T", 1e12)
	check("1TiB", 1<<40)
	for _, wrong := range []string{"", "x", "-1", "-5GB", "5 GB ", " 5GB", "5gb", "GB", "5GBs", "1e9", "5PB", "0.5", "0.0001KB", "99999999999TB", "NaN", "Inf", "--resume",
		"1_000", "1,000", "0x10", "5\nGB", strings.Repeat("9", 400)} {
		if got, err := parseBytes("--shard-size", wrong); err == nil {
			t.Errorf("%q: %d", wrong, got)
		}
	}
}

func TestParseDType(t *testing.T) {
	check := func(text string, want tensors.DType, ok bool) {
		t.Helper()
		if got, err := parseDType(text); (err == nil) != ok || got != want && ok {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]tensors.DType{"": "", "F32": tensors.F32, "bf16": tensors.BF16, "bfloat16": tensors.BF16, "Float16": tensors.F16, "float32": tensors.F32,
		"F64": tensors.F64, "f8_e4m3": tensors.F8E4M3, "F8_E5M2": tensors.F8E5M2, "float8_e4m3fn": tensors.F8E4M3, "float8_e5m2": tensors.F8E5M2} {
		check(text, want, true)
	}
	for _, wrong := range []string{"I8", "U8", "BOOL", "F4", "Q8", "fp16", "torch.bfloat16", "--json", " F32"} {
		check(wrong, "", false)
	}
}

// TestWithDType changes the type that a config.json states at its top, and not
// a byte besides.
func TestWithDType(t *testing.T) {
	check := func(text string, d tensors.DType, want string) {
		t.Helper()
		got, ok := withDType([]byte(text), d)
		if ok != (want != "") || string(got) != want {
			t.Errorf("%s as %s: %s, %v, want %s", text, d, got, ok, want)
		}
	}
	const nothing = ""
	check(`{"torch_dtype": "bfloat16"}`, tensors.F32, `{"torch_dtype": "float32"}`)
	check(`{"dtype":"bfloat16"}`, tensors.F16, `{"dtype":"float16"}`)
	check(`{"torch_dtype":"float16","dtype":"bfloat16"}`, tensors.F64, `{"torch_dtype":"float64","dtype":"float64"}`)
	check(`{"torch_dtype":"float16","a":1,"dtype":"float32"}`, tensors.BF16, `{"torch_dtype":"bfloat16","a":1,"dtype":"bfloat16"}`)
	check(`{"torch_dtype":"float16","dtype":"bfloat16"}`, tensors.BF16, `{"torch_dtype":"bfloat16","dtype":"bfloat16"}`)
	check(`{"torch_dtype": "bfloat16"}`, tensors.F8E4M3, `{"torch_dtype": "float8_e4m3fn"}`)
	check(`{"torch_dtype": "auto"}`, tensors.BF16, `{"torch_dtype": "bfloat16"}`)
	// Every blank, line end and order of the rest stays.
	check("{\r\n\t\"b\" : 1.0,\n\"torch_dtype\"\t:\n \"bfloat16\" , \"a\":1e5,\"z\":[\"\u00e9\\u00e9\"] }\n\n", tensors.F32,
		"{\r\n\t\"b\" : 1.0,\n\"torch_dtype\"\t:\n \"float32\" , \"a\":1e5,\"z\":[\"\u00e9\\u00e9\"] }\n\n")
	// Not at the top: of vision towers, quantisation and the like.
	check(`{"text_config":{"torch_dtype":"bfloat16"},"a":["torch_dtype","dtype",{"dtype":"x"}]}`, tensors.F32, nothing)
	check(`{"vision":{"dtype":"bfloat16"},"dtype":"bfloat16","q":{"dtype":"int8"}}`, tensors.F32, `{"vision":{"dtype":"bfloat16"},"dtype":"float32","q":{"dtype":"int8"}}`)
	check(`{"a":[{"b":[1,"dtype"]}],"torch_dtype":"float16"}`, tensors.F32, `{"a":[{"b":[1,"dtype"]}],"torch_dtype":"float32"}`)
	check(`{"name":"torch_dtype","x":"dtype","dtype":"float16"}`, tensors.F32, `{"name":"torch_dtype","x":"dtype","dtype":"float32"}`)
	// Nothing to change.
	check(`{"torch_dtype": "float32"}`, tensors.F32, nothing)
	check(`{"torch_dtype": null}`, tensors.F32, nothing)
	check(`{"torch_dtype": 16}`, tensors.F32, nothing)
	check(`{}`, tensors.F32, nothing)
	check(``, tensors.F32, nothing)
	check(`null`, tensors.F32, nothing)
	check(`{"torch_dtype": "bfloat16"}`, "I8", nothing)
}

// TestWithDTypeOddTexts: what Python writes and what nobody should write.
func TestWithDTypeOddTexts(t *testing.T) {
	for _, text := range []string{`{"torch_dtype":"a\"b"}`, `{"dtype":"\\","x":1}`} {
		if got, ok := withDType([]byte(text), tensors.F32); ok && !json.Valid(got) {
			t.Errorf("%s becomes %s", text, got)
		}
	}
	if got, ok := withDType([]byte(`["torch_dtype","bfloat16"]`), tensors.F32); ok {
		t.Errorf("an array becomes %s", got)
	}
}

// TestOutDType stores the weights in every type and keeps config.json true,
// byte for byte but for the name of the type.
func TestOutDType(t *testing.T) {
	dir := t.TempDir()
	extra := []string{`"torch_dtype": "bfloat16"`, "\"torch_dtype\": \"bfloat16\",\n \"vision_config\": {\"torch_dtype\":   \"bfloat16\"}"}
	base := variant(t, dir, "base", tensorstest.Pico{Seed: 1}, nil, extra...)
	tuned := variant(t, dir, "tuned", tensorstest.Pico{Seed: 1, Drift: 0.1}, nil, extra...)
	before := read(t, filepath.Join(base, "config.json"))
	for _, name := range []string{"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"} {
		out := filepath.Join(dir, name)
		done(t, "merge", base, tuned, "--alpha", "0.5", "--out-dtype", name, "-o", out)
		m := opened(t, out)
		for _, tensor := range m.Names() {
			if info, _ := m.Info(tensor); string(info.DType) != name {
				t.Errorf("%s: %s is stored as %s", name, tensor, info.DType)
			}
		}
		torch := ""
		for known, d := range torchTypes {
			if string(d) == name {
				torch = known
			}
		}
		if got := read(t, filepath.Join(out, "config.json")); got != strings.Replace(before, `"bfloat16"`, `"`+torch+`"`, 1) {
			t.Errorf("%s: config.json is %s", name, got)
		}
		if name != "BF16" && readProvenance(t, out).Recipe.DType != tensors.DType(name) {
			t.Errorf("%s: the recipe says %+v", name, readProvenance(t, out).Recipe)
		}
		done(t, "inspect", out, "--verify")
	}
	refused(t, ExitUsage, []string{`--out-dtype "I8"`}, "merge", base, tuned, "--alpha", "0.5", "--out-dtype", "I8", "-o", filepath.Join(dir, "none"))
}

// TestConfigMadeTrue: a config.json that was wrong of the base is right of the
// merge.
func TestConfigMadeTrue(t *testing.T) {
	dir := t.TempDir()
	base := variant(t, dir, "base", tensorstest.Pico{Seed: 1}, nil, `"torch_dtype": "bfloat16"`, `"dtype": "float16"`)
	tuned := pico(t, dir, "tuned", tensorstest.Pico{Seed: 1, Drift: 0.1})
	done(t, "merge", base, tuned, "--alpha", "0.5", "-o", filepath.Join(dir, "out"))
	if got := read(t, filepath.Join(dir, "out", "config.json")); !strings.Contains(got, `"dtype": "bfloat16"`) || strings.Contains(got, "float16\",\n \"dtype") {
		t.Errorf("config.json is %s", got)
	}
}
