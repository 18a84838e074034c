// Command telltale is the telltale library at the command line.
//
//	telltale demo [--listen ADDR] [--for DURATION] [--workers N]
//	telltale serve --dir DIR [--listen ADDR] [--timeout DURATION] [--max-in-flight N]
//	telltale merge [--no-accumulate] [--strict] [--to FORMAT] DIR|FILE...
//	telltale fold [--dry-run] [--dead-after DURATION] [--epoch EPOCH] [--remote] DIR
//	telltale inspect [--json] DIR
//	telltale check [--format FORMAT] [--allow-empty] [FILE|-|URL]...
//	telltale lint [--disable RULE[:METRIC]] [--rules] [--allow-empty] [FILE|-|URL]
//	telltale catalogue [--check FILE] [--allow-empty] [FILE|-|URL]
//	telltale convert [--from FORMAT] --to FORMAT [--strict] [FILE|-|URL]
//
// It exits with 0 on success, with 1 if something that it was given is wrong (a
// port that is taken, a directory that does not exist, a file that had to be
// left out), and with 2 for wrong usage. Its messages about files and pages
// contain no control characters; pages on standard output are unchanged.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// The exit statuses.
const (
	statusGood       = 0
	statusWrongInput = 1
	statusWrongUsage = 2
)

// commandLine has a field for each verb. A verb lives in a file of its own and
// has a method Run, which kong calls with what main binds.
type commandLine struct {
	Demo    demo    `cmd:"" help:"Run a small shop under load and serve its metrics."`
	Serve   serve   `cmd:"" help:"Serve the metrics of a service's worker processes as one page."`
	Merge   merge   `cmd:"" help:"Merge the metrics files of worker processes and print the result."`
	Fold    fold    `cmd:"" help:"Fold the files of ended worker processes into one."`
	Inspect inspect `cmd:"" help:"List the metrics files of worker processes with their state."`

	Check   check    `cmd:"" help:"Check pages of metrics against their format and print all errors."`
	Lint    lintVerb `cmd:"" help:"Print which metrics of a page break naming conventions."`
	Convert convert  `cmd:"" help:"Write a page of metrics in another format."`

	Catalogue catalogue `cmd:"" help:"List what a page exports, or compare that with such a list."`

	DemoWorker demoWorker `cmd:"" hidden:""`
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
	diag := diagnostics{stderr}
	parser, err := kong.New(&commandLine{},
		kong.Name("telltale"),
		kong.Description("Prometheus metrics at the command line."),
		kong.Writers(stdout, stderr),
		kong.BindSingletonProvider(until),
		kong.Bind(output{stdout}, diag),
		kong.Vars{"writable": writableNames()}, servingDefaults(),
	)
	if err != nil {
		panic(err) // the definition of the command line is at fault
	}
	verb, err := parser.Parse(args)
	if err != nil {
		diag.fail(err)
		_, _ = fmt.Fprintln(diag, `See "telltale --help".`)
		return statusWrongUsage
	}
	if err := verb.Run(); err != nil {
		diag.fail(err)
		return statusWrongInput
	}
	return statusGood
}
