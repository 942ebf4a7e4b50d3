package preflight_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"surgeon/cli/preflight"
)

// TestHostile: a file that cannot be parsed is one Warning that names file and
// rule, on either side and on both.
func TestHostile(t *testing.T) {
	check := func(file, data, rule string) {
		t.Helper()
		good := map[bool]string{true: bpe, false: "{}"}[file == "tokenizer.json"]
		for _, other := range []string{good, data} {
			found := compare(t, directory(file, data), directory(file, other))
			if len(found) != 1 || found[0].Severity != preflight.Warning || found[0].File != file ||
				!strings.Contains(found[0].Says, file+" "+rule) || found[0].Base != "broken" ||
				found[0].Tuned != map[bool]string{true: "readable", false: "broken"}[other == good] {
				t.Errorf("%.60q in %s: %v", data, file, found)
			}
		}
	}
	for _, file := range []string{"config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.json", "tokenizer.json"} {
		check(file, "", "is not JSON")
		check(file, "[]", "is not a JSON object")
		check(file, "null", "is not a JSON object")
		check(file, `"{}"`, "is not a JSON object")
		check(file, `{"a":1`, "is not JSON")
		check(file, `{"a":1} {}`, "is not JSON")
		check(file, `{"a":"`, "is not JSON")
		check(file, `{"a":"\`, "is not JSON")
		check(file, "{\"a\":\"\xff\"}", "is not UTF-8")
		check(file, "\ufeff{}", "is not JSON")
		check(file, "\x00\x1b[2J", "is not JSON")
		check(file, strings.Repeat(`{"a":`, 20000)+"1"+strings.Repeat("}", 20000), "is not JSON")
		check(file, `{"a":[`+strings.Repeat(",", 17<<20)+`]}`, "has more than")
	}
	check("config.json", strings.Repeat(" ", 64<<20+1), "is longer than 64 MiB")
	check("chat_template.jinja", "\xff", "is not UTF-8")
}

// TestHostileTokenizer has JSON objects that are no tokenizers.
func TestHostileTokenizer(t *testing.T) {
	check := func(data, rule string) {
		t.Helper()
		found := compare(t, directory("tokenizer.json", data), directory("tokenizer.json", bpe))
		if len(found) != 1 || found[0].Severity != preflight.Warning || !strings.Contains(found[0].Says, rule) {
			t.Errorf("%s: %v", data, found)
		}
	}
	check(`{}`, "has no model")
	check(`{"Model":{"vocab":{}}}`, "has no model")
	check(`{"model":[]}`, "has no model")
	check(`{"model":null}`, "has no model")
	check(`{"model":{}}`, "has no model.vocab")
	check(`{"model":{"vocab":null}}`, "has no model.vocab")
	check(`{"model":{"vocab":7}}`, "has no model.vocab")
	check(`{"model":{"vocab":{"a":-1}}}`, `token id "-1"`)
	check(`{"model":{"vocab":{"a":1.5}}}`, `token id "1.5"`)
	check(`{"model":{"vocab":{"a":null}}}`, `token id "null"`)
	check(`{"model":{"vocab":{"a":"1"}}}`, `token id "\"1\""`)
	check(`{"model":{"vocab":{"a":4294967296}}}`, `token id`)
	check(`{"model":{"vocab":{"a":`+strings.Repeat("9", 1000)+`}}}`, `token id`)
	check(`{"model":{"vocab":["a"]}}`, "entry 0 of model.vocab")
	check(`{"model":{"vocab":[["a"]]}}`, "entry 0 of model.vocab")
	check(`{"model":{"vocab":[["a",1],["b","2"]]}}`, "entry 1 of model.vocab")
	check(`{"model":{"vocab":{},"merges":{}}}`, "model.merges")
	check(`{"model":{"vocab":{},"merges":["ab"]}}`, "entry 0 of model.merges")
	check(`{"model":{"vocab":{},"merges":[["a","b"],["a"]]}}`, "entry 1 of model.merges")
	check(`{"model":{"vocab":{},"merges":[["a",1]]}}`, "entry 0 of model.merges")
	check(`{"model":{"vocab":{},"merges":[1]}}`, "entry 0 of model.merges")
	check(`{"model":{"vocab":{}},"added_tokens":{}}`, "added_tokens")
	check(`{"model":{"vocab":{}},"added_tokens":[1]}`, "entry 0 of added_tokens")
	check(`{"model":{"vocab":{}},"added_tokens":[{"content":"a"}]}`, "entry 0 of added_tokens")
	check(`{"model":{"vocab":{}},"added_tokens":[{"content":"a","id":-4}]}`, `token id "-4"`)
}

// TestHostileMemory has files that are small but whose flattened paths would
// not be: long names above many fields, and deep nesting above many.
func TestHostileMemory(t *testing.T) {
	start := time.Now()
	many := strings.TrimSuffix(strings.Repeat(`"a":1,`, 100), ",")
	var fields strings.Builder
	for i := range 100_000 {
		fields.WriteString(`"` + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + time.Duration(i).String() + `":1,`)
	}
	many = fields.String() + many
	for _, config := range []string{
		`{"` + strings.Repeat("k", 1<<20) + `":{` + many + `}}`,
		strings.Repeat(`{"":`, 5000) + `{` + many + `}` + strings.Repeat("}", 5000),
	} {
		if found := compareOnce(t, directory("config.json", config), directory("config.json", "{}")); len(found) != 1 {
			t.Errorf("%d findings", len(found))
		}
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
}

// TestOddValues: any type may stand anywhere.
func TestOddValues(t *testing.T) {
	values := []string{"null", "true", "-1", "1e400", `""`, `"\u0000\ud800"`, "[]", "[[]]", "{}", `{"":{}}`, `[{"a":null}]`}
	fields := []string{"hidden_size", "num_attention_heads", "rope_scaling", "rope_parameters", "rope_theta", "layer_types", "use_sliding_window",
		"eos_token_id", "dtype", "quantization_config", "auto_map", "chat_template", "eos_token", "tokenizer_class", "additional_special_tokens", "", "\x1b"}
	for _, file := range []string{"config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.json"} {
		for _, field := range fields {
			for i, value := range values {
				base := `{` + document(t, field, 1)[1:len(document(t, field, 1))-2] + value + `}`
				tuned := `{` + document(t, field, 1)[1:len(document(t, field, 1))-2] + values[(i+3)%len(values)] + `}`
				compare(t, directory(file, base), directory(file, tuned))
			}
		}
	}
}

// TestNotRegular: only regular files are read.
func TestNotRegular(t *testing.T) {
	for _, file := range []string{"config.json", "tokenizer.json", "chat_template.jinja", "x.py"} {
		for _, mode := range []fs.FileMode{fs.ModeDir, fs.ModeNamedPipe, fs.ModeDevice, fs.ModeSocket} {
			found := compare(t, fstest.MapFS{file: &fstest.MapFile{Mode: mode}}, nil)
			if len(found) != 1 || !strings.Contains(found[0].Says, file+" is not a regular file") {
				t.Errorf("%s, %v: %v", file, mode, found)
			}
		}
	}
}

// faulty is a file system that fails, or lies about sizes.
type faulty struct {
	fs.FS
	stat, open, list error
	size             int64
}

func (f faulty) Stat(name string) (fs.FileInfo, error) {
	if f.stat != nil {
		return nil, f.stat
	}
	info, err := fs.Stat(f.FS, name)
	if err == nil && f.size != 0 {
		return sized{info, f.size}, nil
	}
	return info, err
}

func (f faulty) Open(name string) (fs.File, error) {
	if f.open != nil {
		return nil, f.open
	}
	return f.FS.Open(name)
}

func (f faulty) ReadDir(name string) ([]fs.DirEntry, error) {
	if f.list != nil {
		return nil, f.list
	}
	return fs.ReadDir(f.FS, name)
}

type sized struct {
	fs.FileInfo
	size int64
}

func (s sized) Size() int64 { return s.size }

// TestFileSystemFails: what is wrong with the file system is an error that
// says on which side.
func TestFileSystemFails(t *testing.T) {
	broken := errors.New("input/output error")
	for _, file := range []string{"config.json", "tokenizer.json", "chat_template.jinja", "x.py"} {
		good := directory(file, "{}")
		for _, bad := range []fs.FS{faulty{FS: good, stat: broken}, faulty{FS: good, open: broken}, faulty{FS: good, list: broken}} {
			if _, err := preflight.Compare(bad, good); !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "base: ") {
				t.Errorf("%s: %v", file, err)
			}
			if _, err := preflight.Compare(good, bad); !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "tuned: ") {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	if found := compare(t, faulty{FS: directory("tokenizer.json", bpe), size: 256<<20 + 1}, nil); len(found) != 1 || !strings.Contains(found[0].Says, "longer than 256 MiB") {
		t.Errorf("got %v", found)
	}
	if found := compare(t, faulty{FS: directory("config.json", strings.Repeat(" ", 64<<20+1)), size: 2}, nil); len(found) != 1 || !strings.Contains(found[0].Says, "longer than 64 MiB") {
		t.Errorf("got %v", found)
	}
}

// TestLinks: a cache of models links to its files, and that is followed.
func TestLinks(t *testing.T) {
	dir, blobs := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(blobs, "blob"), []byte(`{"model_type":"a"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(blobs, "blob"), filepath.Join(dir, "config.json")); err != nil {
		t.Skip(err)
	}
	if found := compare(t, os.DirFS(dir), directory("config.json", `{"model_type":"b"}`)); len(found) != 1 || found[0].Severity != preflight.Error {
		t.Errorf("got %v", found)
	}
	if found := compare(t, os.DirFS(filepath.Join(dir, "nothing")), nil); len(found) != 0 {
		t.Errorf("got %v", found)
	}
}
