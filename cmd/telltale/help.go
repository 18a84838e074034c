package main

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// The exit statuses.
const (
	statusGood       = 0
	statusWrongInput = 1
	statusWrongUsage = 2
)

// exitStatus is a row of the table of exit statuses.
type exitStatus struct {
	Code    int
	Meaning string
}

// statuses returns the exit statuses of a verb, or of all verbs without one.
func statuses(verb *kong.Node) []exitStatus {
	fails := "What the verb was given is wrong; the help of each verb says when."
	if verb != nil {
		fails = capitalized(verb.Tag.Get("fails")) + "."
	}
	return []exitStatus{
		{statusGood, "All went well."},
		{statusWrongInput, fails},
		{statusWrongUsage, "The command line is wrong."},
	}
}

func capitalized(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// help is the verb that prints the help of another.
type help struct {
	Verb verbName `arg:"" optional:"" help:"A verb; without it all verbs are listed."`
}

// verbName is the name of a verb.
type verbName string

// Validate is called by kong when it has parsed the arguments.
func (v verbName) Validate(parsed *kong.Context) error {
	if v != "" && verbNamed(parsed.Model, string(v)) == nil {
		return fmt.Errorf("there is no verb %q", string(v))
	}
	return nil
}

// verbNamed returns a verb that is not hidden, or nil.
func verbNamed(app *kong.Application, name string) *kong.Node {
	for _, verb := range app.Leaves(true) {
		if verb.Name == name {
			return verb
		}
	}
	return nil
}

// Run prints the help.
func (h *help) Run(parser *kong.Kong, out output) error {
	var args []string
	if h.Verb != "" {
		args = []string{string(h.Verb)}
	}
	return usage(parser, out, args...)
}

// usage prints the help of the verb that args name, or that of the command.
func usage(parser *kong.Kong, to io.Writer, args ...string) error {
	traced, err := kong.Trace(parser, args)
	if err != nil {
		return err
	}
	traced.Stdout = to
	return traced.PrintUsage(false)
}

// printHelp is kong's help with the exit statuses below.
func printHelp(options kong.HelpOptions, parsed *kong.Context) error {
	err := kong.DefaultHelpPrinter(options, parsed)
	_, printed := fmt.Fprintln(parsed.Stdout, "\nExit status:")
	err = errors.Join(err, printed)
	for _, s := range statuses(parsed.Selected()) {
		_, printed := fmt.Fprintf(parsed.Stdout, "  %d  %s\n", s.Code, s.Meaning)
		err = errors.Join(err, printed)
	}
	return err
}

// noValue matches what kong says of a flag behind which another flag comes, or what
// looks like one, such as a negative number, or nothing.
var noValue = regexp.MustCompile(`^--([^ :]+): (?:missing value|expected .* value but got (".*") \()`)

// withoutValue returns what is wrong with the value of a flag that begins with a
// hyphen, or that the flag has none.
func withoutValue(verb *kong.Node, name, got string) error {
	i := slices.IndexFunc(verb.Flags, func(f *kong.Flag) bool { return f.Name == name })
	if i < 0 {
		return fmt.Errorf("--%s needs a value", name)
	}
	flag := verb.Flags[i]
	needs := fmt.Errorf("--%s needs a value, %s", name, flag.PlaceHolder)
	value, err := strconv.Unquote(got)
	if err != nil || !strings.HasPrefix(value, "-") {
		return needs
	}
	token := kong.Token{Value: value, Type: kong.FlagValueToken}
	if err := flag.Parse(kong.ScanFromTokens(token), reflect.New(flag.Target.Type()).Elem()); err != nil {
		return err
	}
	return fmt.Errorf("%w; if it is %q: --%s=%s", needs, value, name, value)
}

// worded returns the error of a command line with what kong does not say: that it is a
// verb which does not exist, what an argument that is missing should be, and which
// values a flag takes.
func worded(wrong *kong.ParseError) error {
	text := strings.TrimPrefix(wrong.Error(), "[<verb>]: ")
	verb := wrong.Context.Selected()
	if verb == nil {
		if name, ok := strings.CutPrefix(text, "unexpected argument "); ok {
			return errors.New("there is no verb " + name)
		}
		return errors.New(text)
	}
	if found := noValue.FindStringSubmatch(text); found != nil {
		return withoutValue(verb, found[1], found[2])
	}
	for _, argument := range verb.Positional {
		if text == fmt.Sprintf("expected %q", argument.Summary()) {
			return fmt.Errorf("%s needs %s: %s", verb.Name, argument.Summary(), argument.Help)
		}
	}
	return errors.New(text)
}

// helpOn returns the arguments that print the help for a command line that is wrong.
func helpOn(parsed *kong.Context) string {
	if verb := parsed.Selected(); verb != nil && !verb.Hidden && verb.Name != "help" {
		return verb.Name + " --help"
	}
	return "--help"
}
