package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == writersVerb {
		if err := writeSegments(os.Args[2:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "benchmarks:", err)
			os.Exit(1)
		}
		return
	}
	if err := benchmark(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "benchmarks:", err)
		}
		os.Exit(1)
	}
}

// command is what the arguments ask for.
type command struct {
	rows, peers string
	plan        plan
	json, docs  string
	from        string
	progress    io.Writer
}

// benchmark is the command: it measures, prints the table to out and progress
// to progress, and writes the files asked for.
func benchmark(args []string, out, progress io.Writer) error {
	c, err := parseCommand(args, progress)
	if err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	made, err := c.report()
	if err != nil {
		return err
	}
	errs := []error{made.writeTable(out), writeFile(c.json, made.writeJSON)}
	if c.docs != "" {
		errs = append(errs, made.writeDocs(c.docs))
	}
	return errors.Join(errs...)
}

func parseCommand(args []string, progress io.Writer) (command, error) {
	c := command{plan: fullPlan(), progress: progress}
	flags := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.StringVar(&c.rows, "rows", "", "measure only rows whose names match this `regexp`")
	flags.StringVar(&c.peers, "peers", "", "measure only these peers, a comma-separated `list`")
	rounds := flags.Int("rounds", 0, "measure in `n` rounds instead of the plan's; long stages end after three")
	flags.StringVar(&c.json, "json", "", "write all figures to this `file`")
	flags.StringVar(&c.docs, "docs", "", "write the tables and the chart into the pages of the project in this `directory`")
	flags.StringVar(&c.from, "from", "", "measure nothing, take the figures from this `file`, written by -json")
	quick := flags.Bool("quick", false, "use small sizes and one round, to prove that all rows run")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if *quick {
		c.plan = quickPlan()
	}
	switch {
	case *rounds < 0:
		return c, fmt.Errorf("-rounds %d: at least one is needed", *rounds)
	case *rounds > 0:
		c.plan.rounds = *rounds
	}
	if c.from != "" && (c.rows != "" || c.peers != "" || *rounds != 0 || *quick) {
		return c, errors.New("-from measures nothing: leave -rows, -peers, -rounds and -quick out")
	}
	if c.docs != "" && (c.rows != "" || c.peers != "") {
		return c, errors.New("-docs shows all rows and peers: leave -rows and -peers out")
	}
	return c, nil
}

// check looks whether what is measured can be written, before hours of measuring.
func (c command) check() error {
	if c.json != "" {
		if _, err := os.Stat(filepath.Dir(c.json)); err != nil {
			return err
		}
	}
	if c.docs != "" {
		return checkDocs(c.docs)
	}
	return nil
}

// report measures, or reads what was measured before.
func (c command) report() (report, error) {
	if c.from != "" {
		return readReport(c.from)
	}
	chosenRows, err := chooseRows(c.plan.rows(), c.rows)
	if err != nil {
		return report{}, err
	}
	chosenPeers, err := choosePeers(roster(), c.peers)
	if err != nil {
		return report{}, err
	}
	start := time.Now()
	results, err := c.plan.run(chosenRows, chosenPeers, c.progress)
	if err != nil {
		return report{}, err
	}
	return newReport(c.plan, results, start), nil
}

// chooseRows picks the rows whose names match.
func chooseRows(all []row, pattern string) ([]row, error) {
	matcher, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	var chosen []row
	for _, r := range all {
		if matcher.MatchString(r.name) {
			chosen = append(chosen, r)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no row matches %q", pattern)
	}
	return chosen, nil
}

// writeFile has content written to the file called name, if there is a name.
func writeFile(name string, content func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(content(file), file.Close())
}
