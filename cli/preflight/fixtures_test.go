package preflight_test

import (
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"surgeon/cli/preflight"
)

// directory makes a model directory of files and their contents.
func directory(files ...string) fstest.MapFS {
	dir := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		dir[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return dir
}

// compare compares both ways round, and holds every finding to what a Finding
// promises.
func compare(t *testing.T, base, tuned fs.FS) []preflight.Finding {
	t.Helper()
	found, err := preflight.Compare(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	back, err := preflight.Compare(tuned, base)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := severities(found), severities(back); !slices.Equal(a, b) {
		t.Errorf("%v one way round, %v the other", a, b)
	}
	if again, _ := preflight.Compare(base, tuned); !slices.Equal(found, again) {
		t.Errorf("another run finds %v, not %v", again, found)
	}
	for _, f := range found {
		promises(t, f)
	}
	return found
}

func severities(found []preflight.Finding) []preflight.Severity {
	var list []preflight.Severity
	for _, f := range found {
		list = append(list, f.Severity)
	}
	return list
}

// promises checks a Finding: short, printable, one sentence that says
// something.
func promises(t *testing.T, f preflight.Finding) {
	t.Helper()
	for _, s := range []string{f.File, f.Field, f.Base, f.Tuned, f.Says} {
		if i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q is not printable at %d", s, i)
		}
	}
	if len([]rune(f.Base)) > 160 || len([]rune(f.Tuned)) > 160 || len([]rune(f.Field)) > 160 || len([]rune(f.Says)) > 400 {
		t.Errorf("too long to read: %+v", f)
	}
	if len(f.Says) < 20 || strings.Contains(f.Says, "{base}") || strings.Contains(f.Says, "{tuned}") || strings.HasSuffix(f.Says, ".") {
		t.Errorf("says %q", f.Says)
	}
	if f.File == "" {
		t.Errorf("no file: %+v", f)
	}
}

// brief renders findings as "severity field" or, of whole files, "severity".
func brief(found []preflight.Finding, file string) []string {
	var list []string
	for _, f := range found {
		if f.File == file {
			list = append(list, strings.TrimSpace(f.Severity.String()+" "+f.Field))
		}
	}
	return list
}

// checker checks the findings for one file of two sides that have only this
// file.
func checker(t *testing.T, file string) func(base, tuned string, want ...string) {
	return func(base, tuned string, want ...string) {
		t.Helper()
		found := compare(t, directory(file, base), directory(file, tuned))
		if got := brief(found, file); !slices.Equal(got, want) {
			t.Errorf("%s against %s:\n got %q\nwant %q", base, tuned, got, want)
		}
		if len(found) != len(want) {
			t.Errorf("%s against %s: findings in other files: %v", base, tuned, found)
		}
	}
}

// document writes JSON with one field set, and others beside it.
func document(t *testing.T, fields ...any) string {
	t.Helper()
	object := map[string]any{}
	for i := 0; i < len(fields); i += 2 {
		object[fields[i].(string)] = fields[i+1]
	}
	data, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
