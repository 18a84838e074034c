package main

import (
	"bytes"
	_ "embed"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/alecthomas/kong"
)

// man is the verb that prints or writes manual pages.
type man struct {
	Verb verbName `arg:"" optional:"" help:"A verb; without it the page of the command."`
	Dir  operand  `help:"Write the pages of the command and of all verbs to this directory, such as ~/.local/share/man/man1." placeholder:"DIR"`
}

// Help is what kong prints below the usage.
func (*man) Help() string {
	return `"telltale man check | man -l -" shows a page. With --dir the files are telltale.1 and telltale-VERB.1; the directory must be there.`
}

// Validate is called by kong.
func (m *man) Validate() error {
	if m.Verb != "" && m.Dir != "" {
		return errors.New("--dir writes all pages, so it takes no verb")
	}
	return nil
}

// Run prints a page, or writes all.
func (m *man) Run(parser *kong.Kong, out output) error {
	if m.Dir == "" {
		page, err := manual(parser.Model, verbNamed(parser.Model, string(m.Verb)))
		if err != nil {
			return err
		}
		_, err = out.Write(page)
		return err
	}
	for _, verb := range append([]*kong.Node{nil}, parser.Model.Leaves(true)...) {
		name := parser.Model.Name
		if verb != nil {
			name += "-" + verb.Name
		}
		page, err := manual(parser.Model, verb)
		if err == nil {
			err = os.WriteFile(filepath.Join(string(m.Dir), name+".1"), page, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

//go:embed reference/man.tmpl
var manTemplate string

//go:embed reference/markdown.tmpl
var markdownTemplate string

// reference is what a manual page or the page in docs is made of.
type reference struct {
	App      *kong.Application
	Verb     *kong.Node // nil for the command itself
	Verbs    []*kong.Node
	Statuses []exitStatus
}

func referenceOf(app *kong.Application, verb *kong.Node) reference {
	return reference{App: app, Verb: verb, Verbs: app.Leaves(true), Statuses: statuses(verb)}
}

// manual returns the manual page of a verb, or of the command without one, in roff.
func manual(app *kong.Application, verb *kong.Node) ([]byte, error) {
	return render(manTemplate, roff, referenceOf(app, verb))
}

// markdown returns the part of docs/command.md that describes the verbs.
func markdown(app *kong.Application) ([]byte, error) {
	return render(markdownTemplate, strings.NewReplacer("|", `\|`, "*", `\*`, "<", `\<`).Replace, referenceOf(app, nil))
}

// render executes a template in which the function text makes a text fit the format.
func render(source string, text func(string) string, of reference) ([]byte, error) {
	t, err := template.New("").Funcs(template.FuncMap{
		"text":     text,
		"flag":     flagForm,
		"upper":    strings.ToUpper,
		"sections": func(text string) []string { return strings.Split(text, "\n\n") },
	}).Parse(source)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = t.Execute(&page, of)
	return page.Bytes(), err
}

// flagForm returns a flag as it is written: --name=VALUE.
func flagForm(f *kong.Flag) string {
	switch {
	case f.IsBool() && f.Tag.Negatable != "":
		return "--[no-]" + f.Name
	case f.IsBool():
		return "--" + f.Name
	}
	return "--" + f.Name + "=" + f.FormatPlaceHolder()
}

// roff escapes text, which may stand at the beginning of a line.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n.", "\n\\&.", "\n'", "\n\\&'").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		return `\&` + text
	}
	return text
}
