package cli

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCompletionScripts compares with files of testdata, and lets the shells
// that are there check the syntax.
func TestCompletionScripts(t *testing.T) {
	for shell, check := range map[string][]string{
		"bash": {"bash", "-n"}, "zsh": {"zsh", "-n"}, "fish": {"fish", "--no-execute"}, "powershell": {"pwsh", "-NoProfile", "-File"},
	} {
		out := done(t, "completion", shell)
		golden(t, "completion."+shell+".golden", out)
		if _, err := exec.LookPath(check[0]); err != nil {
			continue
		}
		path := write(t, t.TempDir(), "script.ps1", out)
		if message, err := exec.Command(check[0], append(check[1:], path)...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", shell, err, message)
		}
	}
	refused(t, ExitUsage, []string{`no completion for "tcsh"`, "bash, zsh, fish, powershell"}, "completion", "tcsh")
	refused(t, ExitUsage, []string{"bash, zsh, fish, powershell"}, "completion")
	refused(t, ExitUsage, []string{"bash, zsh, fish, powershell"}, "completion", "bash", "zsh")
}

// TestCompletionKnowsAllFlags: every script names every command and flag.
func TestCompletionKnowsAllFlags(t *testing.T) {
	for _, c := range completions {
		out := done(t, "completion", c.shell)
		for _, command := range newApp(environment{}).Commands {
			for _, flag := range command.Flags {
				name := flag.Names()[0]
				if !strings.Contains(out, command.Name) || !strings.Contains(out, "--"+name) && !strings.Contains(out, "-l '"+name+"'") {
					t.Errorf("%s: no %s --%s", c.shell, command.Name, name)
				}
			}
		}
	}
}

// TestBashCompletion loads the script into bash and presses the key.
func TestBashCompletion(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash")
	}
	dir := t.TempDir()
	write(t, dir, "model dir/config.json", "")
	write(t, dir, "mod$(touch evil)", "")
	script := write(t, t.TempDir(), "script", done(t, "completion", "bash"))
	complete := func(words ...string) []string {
		t.Helper()
		cmd := exec.Command("bash", "-c", `source "$0" && complete -p surgeon >/dev/null && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && { _surgeon; printf '%s\n' "${COMPREPLY[@]}"; }`, script)
		cmd.Args, cmd.Dir = append(cmd.Args, words...), dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v: %s", words, err, out)
		}
		list := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		slices.Sort(list)
		return slices.DeleteFunc(list, func(s string) bool { return s == "" })
	}
	check := func(want []string, words ...string) {
		t.Helper()
		if got := complete(words...); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
	check([]string{"audit", "compare", "completion", "diff", "grid", "inspect", "lora", "memo", "merge", "probe", "score", "train"}, "surgeon", "")
	check([]string{"memo", "merge"}, "surgeon", "me")
	check([]string{"show", "shrink"}, "surgeon", "lora", "sh")
	check([]string{"--density"}, "surgeon", "lora", "add", "--de")
	check(nil, "surgeon", "zzz")
	check([]string{"--digests"}, "surgeon", "inspect", "--d")
	check([]string{"--alpha", "--alpha-sweep"}, "surgeon", "merge", "base", "chem", "--alp")
	check([]string{"--out", "--out-dtype"}, "surgeon", "merge", "--ou")
	check(nil, "surgeon", "diff", "--alpha")
	check([]string{"base"}, "surgeon", "diff", "ba")
	check([]string{"base", "chem", "mod$(touch evil)", "model dir"}, "surgeon", "diff", "base", "")
	check([]string{"model dir"}, "surgeon", "inspect", "model")
	if found, _ := filepath.Glob(filepath.Join(dir, "evil")); len(found) > 0 {
		t.Error("completing ran what a file is called")
	}
}

// TestCompletionOfShells: completion completes its own argument.
func TestCompletionOfShells(t *testing.T) {
	if out := done(t, "completion", "bash"); strings.Contains(out, `completion) list="--help"`) || !strings.Contains(out, "bash zsh fish powershell") {
		t.Errorf("%s", out)
	}
}
