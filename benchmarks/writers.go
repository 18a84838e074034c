package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// writersVerb makes the command run as a process with many writers; the command
// starts itself so. Writers must belong to another process to be alive for the
// reader and to die.
const writersVerb = "write-segments"

// writers is a running process that has made segments.
type writers struct {
	command *exec.Cmd
	input   io.Closer
}

// startWriters makes a directory with a segment of each of the task's writers,
// whose process goes on.
func startWriters(t task, gauges bool) (dir string, w *writers, err error) {
	if dir, err = inMemory(); err != nil {
		return "", nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	program, err := os.Executable()
	if err != nil {
		return dir, nil, err
	}
	w = &writers{command: exec.Command(program, writersVerb, "-writers", fmt.Sprint(t.writers),
		"-entries", fmt.Sprint(t.series), fmt.Sprintf("-gauges=%t", gauges), dir)}
	w.command.Stderr = os.Stderr
	output, err := w.command.StdoutPipe()
	if err != nil {
		return dir, nil, err
	}
	if w.input, err = w.command.StdinPipe(); err != nil {
		return dir, nil, err
	}
	if err := w.command.Start(); err != nil {
		return dir, nil, err
	}
	if line, err := bufio.NewReader(output).ReadString('\n'); err != nil {
		return dir, nil, errors.Join(fmt.Errorf("the writers said %q: %w", line, err), w.end())
	}
	return dir, w, age(dir)
}

// end ends the process, and with it the writers.
func (w *writers) end() error { return errors.Join(w.input.Close(), w.command.Wait()) }

// writeSegments is the main function of that process: it counts in the given
// number of stores, prints that it is ready and waits for its input to end.
func writeSegments(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet(writersVerb, flag.ContinueOnError)
	number := flags.Int("writers", 1, "open `n` stores")
	entries := flags.Int("entries", 200, "count `n` entries in each")
	gauges := flags.Bool("gauges", true, "have gauges among them")
	if err := flags.Parse(args); err != nil {
		return err
	}
	families := sharedFamilies(*entries)
	if !*gauges {
		families = lasting(families)
	}
	sets := labelSets(*entries)
	for n := range *number {
		store, err := multiprocess.Open(flags.Arg(0), multiprocess.WithWriterName(fmt.Sprint(1000+n)), multiprocess.WithoutFolding())
		if err != nil {
			return err
		}
		reg := telltale.NewRegistry(telltale.WithStore(store))
		for _, f := range families {
			if err := f.count(reg, sets, n); err != nil {
				return err
			}
		}
	}
	if _, err := fmt.Fprintln(out, "ready"); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, in)
	return err
}

// count counts in every series of the family.
func (f sharedFamily) count(reg *telltale.Registry, sets []labelValues, process int) error {
	switch f.typ {
	case model.Counter:
		vec, err := telltale.NewCounterVec(f.name, f.help, labelNames, telltale.In(reg))
		for i := range sets[:f.series] {
			vec.With(sets[i][:]...).Add(float64(i + process))
		}
		return err
	case model.Histogram:
		vec, err := telltale.NewHistogramVec(f.name, f.help, labelNames, telltale.WithBuckets(bucketBounds...), telltale.In(reg))
		for i := range sets[:f.series] {
			for j := range observationsPerHistogram {
				vec.With(sets[i][:]...).Observe(observationOf(i, j))
			}
		}
		return err
	case model.Summary:
		vec, err := telltale.NewSummaryVec(f.name, f.help, labelNames, telltale.In(reg))
		for i := range sets[:f.series] {
			vec.With(sets[i][:]...).Observe(float64(i + process))
		}
		return err
	}
	vec, err := telltale.NewGaugeVec(f.name, f.help, labelNames, telltale.WithGaugeMode(f.mode), telltale.In(reg))
	for i := range sets[:f.series] {
		vec.With(sets[i][:]...).Set(float64(i + process))
	}
	return err
}
