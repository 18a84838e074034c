package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
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

// benchmark is the command: it measures, prints the table to out and progress
// to progress, and writes the files asked for.
func benchmark(args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	flags.SetOutput(progress)
	rowPattern := flags.String("rows", "", "measure only rows whose names match this `regexp`")
	peerList := flags.String("peers", "", "measure only these peers, a comma-separated `list`")
	rounds := flags.Int("rounds", 0, "measure in `n` rounds instead of the plan's; long stages end after three")
	jsonFile := flags.String("json", "", "write all figures to this `file`")
	quick := flags.Bool("quick", false, "use small sizes and one round, to prove that all rows run")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	chosenPlan := fullPlan()
	if *quick {
		chosenPlan = quickPlan()
	}
	if *rounds > 0 {
		chosenPlan.rounds = *rounds
	}
	chosenRows, err := chooseRows(chosenPlan.rows(), *rowPattern)
	if err != nil {
		return err
	}
	chosenPeers, err := choosePeers(roster(), *peerList)
	if err != nil {
		return err
	}
	results, err := chosenPlan.run(chosenRows, chosenPeers, progress)
	if err != nil {
		return err
	}
	made := newReport(chosenPlan, results)
	return errors.Join(
		made.writeTable(out),
		writeFile(*jsonFile, made.writeJSON),
	)
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
