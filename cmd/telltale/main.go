// Command telltale is the telltale library at the command line.
//
//	telltale help
//
// lists its verbs, and docs/command.md describes them. Its messages about files and
// pages contain no control characters; pages on standard output are unchanged.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/alecthomas/kong"

	"telltale/cmd/telltale/internal/board"
)

// commandLine is the table of verbs: a field for each. A verb lives in a file of its
// own and has a method Run, which kong calls with what runUntil binds. Help, completion,
// man pages and docs/command.md are made from this table. The tag fails says when the
// verb exits with statusWrongInput.
type commandLine struct {
	Demo    demo    `cmd:"" help:"Run a small shop under load and serve its metrics." fails:"the address is taken, or the metrics differ from what the customers saw"`
	Serve   serve   `cmd:"" help:"Serve the metrics of a service's worker processes, and pages of others, as one." fails:"an address is taken, or the directory or a file cannot be read at the start"`
	Send    send    `cmd:"" help:"Send the metrics of a service's worker processes, and pages of others, to where nobody scrapes them." fails:"the directory or a file cannot be read at the start, what was collected last cannot be sent, or the directory is gone"`
	Merge   merge   `cmd:"" help:"Merge the metrics files of worker processes and print the result." fails:"a file is left out, files disagree, or a path does not exist"`
	Fold    fold    `cmd:"" help:"Fold the files of ended worker processes into one." fails:"a file is left that no live process needs, or another fold is under way"`
	Inspect inspect `cmd:"" help:"List the metrics files of worker processes with their state." fails:"the directory cannot be read"`

	Check   check    `cmd:"" help:"Check pages of metrics against their format and print all errors." fails:"a page has an error or cannot be read"`
	Lint    lintVerb `cmd:"" help:"Print which metrics of pages break naming conventions." fails:"there is a finding, or a page has an error or cannot be read"`
	Convert convert  `cmd:"" help:"Write a page of metrics in another format." fails:"the page has an error or cannot be read, or the format cannot hold it"`

	Watch     watch     `cmd:"" help:"Show metrics of pages and directories as they change." fails:"a directory or a file of flags cannot be read, or with --once a target"`
	Diff      diff      `cmd:"" help:"Compare two pages of metrics, or one at two moments." fails:"there is a difference, or a page cannot be read"`
	Catalogue catalogue `cmd:"" help:"List what a page exports, or compare that with such a list." fails:"there is a difference, or the page or the list cannot be read"`

	Version    versionVerb `cmd:"" help:"Print what this command was built from." fails:"the output cannot be written"`
	Completion completion  `cmd:"" help:"Print a script that completes this command's arguments in a shell." fails:"the output cannot be written"`
	Man        man         `cmd:"" help:"Print the manual page of the command or of a verb, or write all of them to a directory." fails:"a page cannot be written"`
	Help       help        `cmd:"" help:"Print the help of the command or of a verb." fails:"the output cannot be written"`

	DemoWorker demoWorker `cmd:"" hidden:""`
	Candidates candidates `cmd:"" hidden:""`
}

func main() {
	os.Exit(runUntil(signalled, os.Args[1:], os.Stdout, os.Stderr))
}

// signalled returns a context that ends at the first signal to stop. A second
// signal kills the process.
func signalled() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (status int) {
	return runUntil(func() context.Context { return ctx }, args, stdout, stderr)
}

// runUntil runs a verb, in the context that until returns if the verb's Run
// takes one. Other verbs need no orderly end: a signal kills them.
func runUntil(until func() context.Context, args []string, stdout, stderr io.Writer) (status int) {
	diag := diagnostics{onTerminal(stderr)}
	parser := newParser(kong.Writers(stdout, stderr), kong.BindSingletonProvider(until), kong.Bind(outputTo(stdout), diag))
	if len(args) == 0 {
		if err := usage(parser, diag); err != nil {
			diag.fail(err)
		}
		return statusWrongUsage
	}
	verb, err := parser.Parse(args)
	if err == nil {
		err = verb.Run(parser)
	}
	if err == nil {
		return statusGood
	}
	if wrong := (*kong.ParseError)(nil); errors.As(err, &wrong) {
		diag.fail(worded(wrong))
		_, _ = fmt.Fprintf(diag, "See \"telltale %s\".\n", helpOn(wrong.Context))
		return statusWrongUsage
	}
	diag.fail(err)
	return statusWrongInput
}

// newParser returns the parser of the command line.
func newParser(opts ...kong.Option) *kong.Kong {
	parser, err := kong.New(&commandLine{}, append(opts,
		kong.Name("telltale"),
		kong.Description("Prometheus metrics at the command line."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Help(printHelp),
		kong.Vars{"writable": writableNames(), "maxSeries": strconv.Itoa(board.DefaultLimit)}, servingDefaults(),
	)...)
	if err != nil {
		panic(err) // the definition of the command line is at fault
	}
	return parser
}
