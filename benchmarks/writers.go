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

// writersAtOnce is how many writers a process has at most: each takes a few
// descriptors.
const writersAtOnce = 1000

// writers are running processes that have made segments.
type writers []writerProcess

type writerProcess struct {
	command *exec.Cmd
	input   io.Closer
}

// startWriters makes a directory with a segment of each of the task's writers,
// whose processes go on.
func startWriters(t task, gauges bool) (dir string, w writers, err error) {
	if dir, err = inMemory(); err != nil {
		return "", nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.end(), os.RemoveAll(dir))
		}
	}()
	for first := 0; first < t.writers; first += writersAtOnce {
		p, err := startProcess(dir, t, gauges, first)
		if err != nil {
			return dir, w, err
		}
		w = append(w, p)
	}
	return dir, w, age(dir)
}

// startProcess starts the process of the writers from first on, and waits until it
// has counted.
func startProcess(dir string, t task, gauges bool, first int) (p writerProcess, err error) {
	program, err := os.Executable()
	if err != nil {
		return p, err
	}
	p.command = exec.Command(program, writersVerb, "-first", fmt.Sprint(first), "-writers", fmt.Sprint(min(writersAtOnce, t.writers-first)),
		"-entries", fmt.Sprint(t.series), fmt.Sprintf("-gauges=%t", gauges), dir)
	p.command.Stderr = os.Stderr
	output, err := p.command.StdoutPipe()
	if err != nil {
		return p, err
	}
	if p.input, err = p.command.StdinPipe(); err != nil {
		return p, err
	}
	if err := p.command.Start(); err != nil {
		return p, err
	}
	if line, err := bufio.NewReader(output).ReadString('\n'); err != nil {
		return p, errors.Join(fmt.Errorf("the writers said %q: %w", line, err), p.end())
	}
	return p, nil
}

// end ends the processes, and with them the writers.
func (w writers) end() error {
	var errs []error
	for _, p := range w {
		errs = append(errs, p.end())
	}
	return errors.Join(errs...)
}

func (p writerProcess) end() error { return errors.Join(p.input.Close(), p.command.Wait()) }

// writeSegments is the main function of that process: it counts in the given
// number of stores, prints that it is ready and waits for its input to end.
func writeSegments(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet(writersVerb, flag.ContinueOnError)
	first := flags.Int("first", 0, "count the stores from `n` on")
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
	for n := *first; n < *first+*number; n++ {
		store, err := multiprocess.Open(flags.Arg(0), multiprocess.WithWriterName(fmt.Sprint(1000+n)), multiprocess.WithoutFolding())
		if err != nil {
			return err
		}
		reg := telltale.NewRegistry(telltale.WithStore(store), telltale.WithFamilySeriesLimit(0))
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
