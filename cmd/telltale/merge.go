package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"telltale/exposition"
	"telltale/model"
	"telltale/multiprocess"
)

// merge is the verb that prints what the files of many processes say together.
type merge struct {
	Accumulate bool        `help:"Let the buckets of histograms count what is at or below their bound, as Prometheus has it; without, each counts its own observations, as the files do." negatable:"" default:"true"`
	Strict     bool        `help:"Print nothing if a file cannot be read."`
	To         namedFormat `help:"Print in this format: ${writable} (${default})." default:"text" placeholder:"FORMAT"`
	Paths      []string    `arg:"" name:"path" help:"Directories that workers write to, and single files. What is given twice counts twice."`
}

// Help is what kong prints below the usage.
func (*merge) Help() string {
	return `The files are those of workers with Python's prometheus_client in multiprocess mode, *.db, and those of workers with telltale and what folds made of both, *.seg. A file that cannot be read is left out with a warning, unless --strict is given. Families come out sorted by name.`
}

// Run prints the merged families.
func (m *merge) Run(out output, diag diagnostics) error {
	files, err := m.files(diag)
	if err != nil {
		return err
	}
	families, err := multiprocess.Merge(files, m.Accumulate)
	if err != nil && m.Strict {
		return err
	}
	for _, left := range each(err) {
		diag.warn(left)
	}
	return m.print(families, out, diag)
}

// files returns the files that the paths stand for. That one does not exist is
// wrong input and not a damaged file.
func (m *merge) files(diag diagnostics) ([]string, error) {
	var files []string
	for _, path := range m.Paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		within, err := filesOfWorkers(path)
		if err != nil {
			return nil, err
		}
		if len(within) == 0 {
			diag.warn(fmt.Errorf("%s has no files *.db and *.seg", path))
		}
		files = append(files, within...)
	}
	return files, nil
}

// filesOfWorkers returns what "*.db" and "*.seg" stand for in the directory,
// sorted.
func filesOfWorkers(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var files []string
	for _, e := range entries {
		if name := e.Name(); (strings.HasSuffix(name, ".db") || strings.HasSuffix(name, ".seg")) && !strings.HasPrefix(name, ".") {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files, err
}

func (m *merge) print(families []*model.Family, out output, diag diagnostics) error {
	enc := exposition.NewEncoder(out, m.To.Format, exposition.WithDropped(func(d exposition.Drop) {
		what := fmt.Sprintf("family %q", d.Family)
		if d.Sample != "" {
			what = fmt.Sprintf("sample %q of %s", d.Sample, what)
		}
		diag.warn(fmt.Errorf("%s is left out of %s: %s", what, m.To.name, d.Reason))
	}))
	var err error
	for _, f := range families {
		if err = enc.Encode(f); err != nil {
			break
		}
	}
	return errors.Join(err, enc.Close())
}

// each returns the errors that were joined to one.
func each(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}
