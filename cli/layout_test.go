package cli

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers are the top folders in the order of the import rule: a package
// imports only from its own folder and from folders to its left.
var layers = []string{"tensors", "merge", "lora", "probe", "cli"}

// within are packages that import nothing of surgeon but what stands below
// them in their own folder.
var within = []string{"tensors/kernel", "tensors/kernel/pairsum", "probe/token", "probe/chat", "probe/task", "probe/stat", "probe/record", "cli/table", "cli/plot", "cli/memo", "cli/preflight"}

// reserved says where alone an outside package may be imported.
var reserved = map[string][]string{
	"gorgonia.org/":                     {"probe/decoder", "probe/decoder/op", "probe/train"},
	"github.com/nlpodyssey/safetensors": {"tensors"},
	"github.com/nikolalohinski/gonja/":  {"probe/chat"},
	"github.com/urfave/cli/":            {"cli"},
	"github.com/schollz/progressbar/":   {"cli"},
	"gonum.org/v1/plot":                 {"cli/plot", "cli/memo"},
	"codeberg.org/go-pdf/fpdf":          {"cli/plot", "cli/memo"},
	"github.com/yuin/goldmark":          {"cli/memo"},
	"github.com/parquet-go/":            {"probe/task/dataset"},
	"github.com/neurosnap/sentences":    {"probe/task/ifeval/internal/english"},
}

// TestImportRule parses the imports of the whole tree, tests included.
func TestImportRule(t *testing.T) {
	files := goFiles(t, "..")
	if len(files) < 20 {
		t.Fatalf("only %d Go files found: the test looks in the wrong place", len(files))
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", file), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if err := allowed(filepath.ToSlash(filepath.Dir(file)), path, strings.HasSuffix(file, "_test.go")); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// goFiles lists the Go files below root, relative to it.
func goFiles(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != "." && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			files = append(files, path)
		}
		if strings.HasSuffix(path, ".s") && !strings.HasPrefix(filepath.ToSlash(path), "tensors/kernel/") {
			t.Errorf("%s: assembly belongs in tensors/kernel", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// allowed applies the rule to one import of a file in folder dir.
func allowed(dir, path string, test bool) error {
	for outside, homes := range reserved {
		if strings.HasPrefix(path, outside) && !slices.Contains(homes, dir) {
			return fmt.Errorf("imports %s, which only %s may", path, strings.Join(homes, " and "))
		}
	}
	inside, ours := strings.CutPrefix(path, "surgeon/")
	if path == "unsafe" && dir != "tensors/kernel" {
		return fmt.Errorf("imports unsafe, which only tensors/kernel may")
	}
	if !ours || inside == "testdata" && (test || layer(dir) == layer("cli")) {
		return nil
	}
	from, to := layer(dir), layer(inside)
	if from < 0 || to < 0 {
		return fmt.Errorf("%s imports %s: one of them is in no known folder", dir, path)
	}
	if to > from {
		return fmt.Errorf("imports %s against the order %s", path, strings.Join(layers, ", "))
	}
	if slices.Contains(within, dir) && !test && !strings.HasPrefix(inside, dir+"/") {
		return fmt.Errorf("imports %s, but %s stands alone", path, dir)
	}
	return nil
}

func layer(dir string) int {
	top, _, _ := strings.Cut(dir, "/")
	return slices.Index(layers, top)
}

// TestImportRuleFails shows the rule failing on arrows that it forbids.
func TestImportRuleFails(t *testing.T) {
	check := func(dir, path string, want bool) {
		t.Helper()
		if err := allowed(dir, path, false); (err == nil) != want {
			t.Errorf("%s importing %s: %v", dir, path, err)
		}
	}
	check("merge", "surgeon/tensors", true)
	check("cli", "surgeon/probe/decoder", true)
	check("tensors/drift", "surgeon/tensors", true)
	check("probe/decoder", "gorgonia.org/gorgonia", true)
	check("tensors", "surgeon/merge", false)
	check("merge", "surgeon/probe/task", false)
	check("probe", "surgeon/cli/table", false)
	check("probe/stat", "surgeon/tensors", false)
	check("tensors/kernel", "surgeon/tensors", false)
	check("cli", "gorgonia.org/gorgonia", false)
	check("merge", "github.com/nlpodyssey/safetensors", false)
	check("probe", "gonum.org/v1/plot", false)
	check("helpers", "surgeon/tensors", false)
	check("cli", "surgeon/testdata", true)
	check("probe", "surgeon/testdata", false)
	check("merge", "unsafe", false)
}

// TestTopLevel allows only the folders of the layout, besides dot-folders.
func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	known := append([]string{"testdata"}, layers...)
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") && !slices.Contains(known, entry.Name()) {
			t.Errorf("folder %s stands at the top: the layout knows only %s", entry.Name(), strings.Join(known, ", "))
		}
	}
}
