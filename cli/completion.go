package cli

import (
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/urfave/cli/v2"
)

func completionCommand(env environment) *cli.Command {
	var shells []string
	for _, s := range completions {
		shells = append(shells, s.shell)
	}
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script that completes commands, flags and models in a shell",
		ArgsUsage: strings.Join(shells, "|"),
		Description: `bash:        source <(surgeon completion bash)
zsh:         source <(surgeon completion zsh)
fish:        surgeon completion fish | source
powershell:  surgeon completion powershell | Out-String | Invoke-Expression

Examples:
   surgeon completion bash`,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usagef("completion takes the name of a shell: %s", strings.Join(shells, ", "))
			}
			for _, s := range completions {
				if s.shell == c.Args().First() {
					return s.script.Execute(env.out, completable(c.App))
				}
			}
			return usagef("no completion for %q: there are %s", c.Args().First(), strings.Join(shells, ", "))
		},
	}
}

// completed is what the scripts complete.
type completed struct {
	Commands []completedCommand
	Models   []string // embedded
	Shells   []string // of completion
}

type completedCommand struct {
	Name, Usage string
	Flags       []completedFlag // those of commands below it too
	Words       []string        // that its first argument is one of: shells, commands below it; nil for models and files
}

type completedFlag struct {
	Name, Usage string
	Value       bool
}

func completable(app *cli.App) completed {
	c := completed{Models: embedded.Models}
	for _, s := range completions {
		c.Shells = append(c.Shells, s.shell)
	}
	for _, command := range app.Commands {
		list := completedCommand{Name: command.Name, Usage: plainText(command.Usage), Flags: completableFlags(command.Flags)}
		if command.Name == "completion" {
			list.Words = c.Shells
		}
		for _, below := range command.Subcommands {
			list.Words = append(list.Words, below.Name)
			for _, flag := range completableFlags(below.Flags) {
				if !slices.ContainsFunc(list.Flags, func(f completedFlag) bool { return f.Name == flag.Name }) {
					list.Flags = append(list.Flags, flag)
				}
			}
		}
		c.Commands = append(c.Commands, list)
	}
	return c
}

func completableFlags(flags []cli.Flag) (list []completedFlag) {
	for _, flag := range flags {
		if flag.Names()[0] == "help" { // which the library adds to some
			continue
		}
		_, isBool := flag.(*cli.BoolFlag)
		usage := ""
		if documented, ok := flag.(cli.DocGenerationFlag); ok {
			usage = plainText(documented.GetUsage())
		}
		list = append(list, completedFlag{flag.Names()[0], usage, !isBool})
	}
	return list
}

// plainText is a text that stands between single quotes in any shell.
func plainText(text string) string {
	return strings.NewReplacer("'", "", "`", "", "\\", "").Replace(text)
}

// names joins the names of commands; flags those of a command.
func names(commands []completedCommand) string {
	var list []string
	for _, c := range commands {
		list = append(list, c.Name)
	}
	return strings.Join(list, " ")
}

func flags(c completedCommand) string {
	var list []string
	for _, f := range c.Flags {
		list = append(list, "--"+f.Name)
	}
	return strings.Join(list, " ")
}

func script(text string) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"names": names, "flags": flags, "join": strings.Join,
		"quoted": func(list string) string { return fmt.Sprintf("'%s'", strings.ReplaceAll(list, " ", "','")) }}).Parse(text))
}

// completions are the scripts. They are fixed lists: nothing is run when a key
// is pressed.
var completions = []struct {
	shell  string
	script *template.Template
}{
	{"bash", script(`_surgeon() {
	local word=${COMP_WORDS[COMP_CWORD]} list="{{names .Commands}}"
	COMPREPLY=()
	if ((COMP_CWORD > 1)); then
		list="{{join .Models " "}}"
{{- range .Commands}}{{if .Words}}
		if [[ ${COMP_WORDS[1]} == {{.Name}} ]] && ((COMP_CWORD == 2)); then
			COMPREPLY=($(compgen -W "{{join .Words " "}}" -- "$word"))
			return
		fi
{{- end}}{{end}}
		if [[ $word == -* ]]; then
			case ${COMP_WORDS[1]} in
{{- range .Commands}}
			{{.Name}}) list="{{flags .}}" ;;
{{- end}}
			esac
		else
			while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$word")
		fi
	fi
	COMPREPLY+=($(compgen -W "$list" -- "$word"))
}
complete -o filenames -F _surgeon surgeon
`)},
	{"zsh", script(`_surgeon() {
	if ((CURRENT == 2)); then
		compadd -- {{names .Commands}}
		return
	fi
{{- range .Commands}}{{if .Words}}
	if [[ ${words[2]} == {{.Name}} ]] && ((CURRENT == 3)); then
		compadd -- {{join .Words " "}}
		return
	fi
{{- end}}{{end}}
	if [[ ${words[CURRENT]} != -* ]]; then
		compadd -- {{join .Models " "}}
		_files
		return
	fi
	case ${words[2]} in
{{- range .Commands}}
	{{.Name}}) compadd -- {{flags .}} ;;
{{- end}}
	esac
}
compdef _surgeon surgeon
`)},
	{"fish", script(`complete -c surgeon -n '__fish_use_subcommand' -f
{{- range .Commands}}
complete -c surgeon -n '__fish_use_subcommand' -f -a '{{.Name}}' -d '{{.Usage}}'
{{- $command := .Name}}
{{- range .Flags}}
complete -c surgeon -n '__fish_seen_subcommand_from {{$command}}' -l '{{.Name}}'{{if .Value}} -r{{end}} -d '{{.Usage}}'
{{- end}}
complete -c surgeon -n '__fish_seen_subcommand_from {{.Name}}{{if .Words}}; and not __fish_seen_subcommand_from {{join .Words " "}}{{end}}' -a '{{if .Words}}{{join .Words " "}}{{else}}{{join $.Models " "}}{{end}}'
{{- end}}
`)},
	{"powershell", script(`Register-ArgumentCompleter -Native -CommandName surgeon -ScriptBlock {
	param($word, $ast, $cursor)
	$flags = @{
{{- range .Commands}}
		'{{.Name}}' = @({{with flags .}}{{quoted .}}{{end}})
{{- end}}
	}
	$first = @{
{{- range .Commands}}{{if .Words}}
		'{{.Name}}' = @({{quoted (join .Words " ")}})
{{- end}}{{end}}
	}
	$given = @($ast.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
	$list = if ($first[$given[0]] -and ($given.Count -eq 2 -and $word -ne '' -or $given.Count -eq 1 -and $word -eq '')) { $first[$given[0]] } elseif ($word -like '-*') { $flags[$given[0]] } elseif ($given.Count -gt 1 -or ($given.Count -eq 1 -and $word -eq '')) { @({{quoted (join .Models " ")}}) } else { @({{quoted (names .Commands)}}) }
	$list | Where-Object { $_ -like "$word*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
}
`)},
}
