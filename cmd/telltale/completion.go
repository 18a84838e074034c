package main

import (
	"embed"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"telltale/lint"
)

// scripts has a script for each shell, which asks the verb candidates.
//
//go:embed completion
var scripts embed.FS

// completion is the verb that prints a script for a shell.
type completion struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is what kong prints below the usage.
func (*completion) Help() string {
	return `In bash: source <(telltale completion bash). In zsh, after compinit: source <(telltale completion zsh); or write it to a file _telltale in a directory of $fpath. In fish: telltale completion fish | source; or write it to ~/.config/fish/completions/telltale.fish. The script asks the command itself, so it stays right when the command is updated.`
}

// Run prints the script.
func (c *completion) Run(out output) error {
	script, err := scripts.ReadFile("completion/telltale." + c.Shell)
	if err != nil {
		return err
	}
	_, err = out.Write(script)
	return err
}

// candidates is the verb that the scripts of completion call.
type candidates struct {
	Words []string `arg:"" optional:""`
}

// files is a candidate for which the shell puts names of files.
const files = ":files"

// Run prints the candidates, a line for each: the word, and behind a tab what it means.
func (c *candidates) Run(parser *kong.Kong, out output) error {
	var lines strings.Builder
	for _, candidate := range complete(parser.Model, c.Words) {
		fmt.Fprintf(&lines, "%s\t%s\n", candidate.word, candidate.meaning)
	}
	_, err := out.Write([]byte(lines.String()))
	return err
}

// candidate is a word that may stand at the cursor.
type candidate struct{ word, meaning string }

// complete returns the candidates for the last of the words behind the command's name.
// Bash makes three words of --flag=value, the other shells one.
func complete(app *kong.Application, words []string) []candidate {
	if len(words) == 0 {
		words = []string{""}
	}
	before, last := words[:len(words)-1], words[len(words)-1]
	switch n := len(before); {
	case last == "=" && n > 0:
		before, last = before[:n], ""
	case n > 1 && before[n-1] == "=":
		before = before[:n-1]
	}
	i := slices.IndexFunc(before, func(w string) bool { return !strings.HasPrefix(w, "-") })
	if i < 0 {
		if strings.HasPrefix(last, "-") {
			return beginning(last, flagNames(app.Node))
		}
		return beginning(last, verbNames(app))
	}
	verb := verbNamed(app, before[i])
	if verb == nil {
		return nil
	}
	if name, value, joined := strings.Cut(last, "="); joined && strings.HasPrefix(last, "--") {
		var whole []candidate
		for _, c := range beginning(value, valuesOf(flagNamed(verb, name))) {
			if c.word != files { // shells complete a file behind "=" themselves, or not
				whole = append(whole, candidate{name + "=" + c.word, c.meaning})
			}
		}
		return whole
	}
	if f := flagNamed(verb, before[len(before)-1]); f != nil && !f.IsBool() {
		return beginning(last, valuesOf(f))
	}
	if strings.HasPrefix(last, "-") {
		return beginning(last, flagNames(verb))
	}
	return beginning(last, arguments(app, verb))
}

// beginning returns the candidates that the shell may put for a word that has begun.
func beginning(with string, all []candidate) []candidate {
	return slices.DeleteFunc(all, func(c candidate) bool { return c.word != files && !strings.HasPrefix(c.word, with) })
}

func verbNames(app *kong.Application) (all []candidate) {
	for _, verb := range app.Leaves(true) {
		all = append(all, candidate{verb.Name, verb.Help})
	}
	return all
}

// flagNames returns the flags of a verb, with those of the command.
func flagNames(verb *kong.Node) (all []candidate) {
	for _, group := range verb.AllFlags(true) {
		for _, f := range group {
			all = append(all, candidate{"--" + f.Name, f.Help})
			if f.IsBool() && f.Tag.Negatable != "" {
				all = append(all, candidate{"--no-" + f.Name, f.Help})
			}
		}
	}
	return all
}

// flagNamed returns the flag of a verb that a word names, or nil.
func flagNamed(verb *kong.Node, word string) *kong.Flag {
	for _, f := range verb.Flags {
		if "--"+f.Name == word {
			return f
		}
	}
	return nil
}

// chooser is a type of flags of which some values are known.
type chooser interface{ choices() []string }

// choices implements chooser.
func (*pageFormat) choices() []string {
	return append([]string{auto}, (*targetFormat)(nil).choices()...)
}

// choices implements chooser.
func (*targetFormat) choices() []string {
	all := []string{inJSON}
	for _, f := range writable {
		all = append(all, f.name)
	}
	return all
}

// choices implements chooser.
func (*silenced) choices() (all []string) {
	for _, r := range lint.Rules() {
		all = append(all, r.String())
	}
	return all
}

// valuesOf returns the values of a flag, which may be nil.
func valuesOf(f *kong.Flag) (all []candidate) {
	if f == nil {
		return nil
	}
	one := f.Target.Type()
	if one.Kind() == reflect.Slice {
		one = one.Elem()
	}
	known, _ := reflect.New(one).Interface().(chooser)
	switch {
	case known != nil:
		for _, c := range known.choices() {
			all = append(all, candidate{c, ""})
		}
	case f.Enum != "":
		for _, c := range f.EnumSlice() {
			all = append(all, candidate{c, ""})
		}
	case f.PlaceHolder == "FILE" || f.PlaceHolder == "DIR":
		all = append(all, candidate{files, ""})
	}
	return all
}

// arguments returns what may stand behind a verb.
func arguments(app *kong.Application, verb *kong.Node) (all []candidate) {
	if len(verb.Positional) == 0 {
		return nil
	}
	first := verb.Positional[0]
	switch {
	case first.Enum != "":
		for _, c := range first.EnumSlice() {
			all = append(all, candidate{c, ""})
		}
	case first.Target.Type() == reflect.TypeFor[verbName]():
		all = verbNames(app)
	default:
		all = append(all, candidate{files, ""})
	}
	return all
}
