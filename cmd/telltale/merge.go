package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"telltale/model"
	"telltale/multiprocess"
)

// merge is the verb that merges the files of many processes and prints the
// result.
type merge struct {
	Accumulate bool         `help:"Print cumulative buckets of histograms, as Prometheus expects; without it each bucket counts its own observations, as in the files." negatable:"" default:"true"`
	Strict     bool         `help:"Print nothing if a file cannot be read, or if files disagree so that samples are left out."`
	To         targetFormat `help:"Print in this format: json, ${writable} (${default})." default:"text" placeholder:"FORMAT"`
	Paths      []operand    `arg:"" name:"path" help:"Directories that workers write to, and single files. A file given twice counts twice."`
}

// Help is what kong prints below the usage.
func (*merge) Help() string {
	return `The files are those of workers with Python's prometheus_client in multiprocess mode, *.db, and those of workers with telltale and archives made by folds, *.seg. Families come out sorted by name. What the format cannot hold is reported on stderr, counted by reason; JSON holds everything, created times rounded to a float64.

A file that cannot be read is left out and reported on stderr, and so are the samples of a file that disagrees with others on the type of a family, or on its states or mode. The rest is printed, and the exit status is 1. With --strict nothing is printed then.`
}

// Run prints the merged families.
func (m *merge) Run(out output, diag diagnostics) error {
	families, left, err := m.merge(diag)
	if err != nil {
		return err
	}
	if len(left) > 0 && m.Strict {
		tellSome(diag.fail, left)
		return fmt.Errorf("nothing is merged: %s", summary(left))
	}
	tellSome(diag.warn, left)
	var lost losses
	page, err := m.To.render(families, &lost)
	if err != nil {
		return err
	}
	lost.tell(diag.warn, m.To.name)
	if _, err := out.Write(page); err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("not everything is merged: %s", summary(left))
	}
	return nil
}

// merge returns the families, and what is left out of them. That a path does not
// exist is wrong input and not a damaged file.
func (m *merge) merge(diag diagnostics) (families []*model.Family, left []error, err error) {
	paths := make([]string, len(m.Paths))
	for i, path := range m.Paths {
		paths[i] = string(path)
		if err := warnIfEmpty(paths[i], diag); err != nil {
			return nil, nil, err
		}
	}
	done := diag.during("merging "+printable(strings.Join(paths, ", ")), nil)
	families, failure := multiprocess.Merge(paths, m.Accumulate)
	done()
	return families, m.lacking(failure), nil
}

// warnIfEmpty warns if a path is a directory without any files of workers.
func warnIfEmpty(path string, diag diagnostics) error {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		name := e.Name()
		return !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".db") || strings.HasSuffix(name, ".seg"))
	}) {
		diag.warn(fmt.Errorf("%s has no files *.db and *.seg", path))
	}
	return nil
}

// lacking returns the single errors of a merge. A file that disappeared from the
// directory during the merge, and is in no archive, was deleted by its owner and
// is no error.
func (m *merge) lacking(failure error) (left []error) {
	if failure == nil {
		return nil
	}
	for _, err := range each(failure) {
		var file *multiprocess.FileError
		if errors.As(err, &file) && file.Reason == multiprocess.ReasonVanished && !slices.Contains(m.Paths, operand(file.Path)) {
			continue
		}
		left = append(left, err)
	}
	return left
}

// maxErrors is how many errors of files are printed.
const maxErrors = 100

// tellSome reports the first of many errors, and the number of the others.
func tellSome(tell func(error), all []error) {
	for i, err := range all {
		if i == maxErrors {
			tell(fmt.Errorf("and %d more like these", len(all)-i))
			return
		}
		tell(err)
	}
}

// summary returns the number of files that were left out and of disagreements.
func summary(left []error) string {
	files := 0
	for _, err := range left {
		var file *multiprocess.FileError
		if errors.As(err, &file) {
			files++
		}
	}
	var parts []string
	if files > 0 {
		parts = append(parts, counted(files, "file")+" left out")
	}
	if n := len(left) - files; n > 0 {
		parts = append(parts, counted(n, "disagreement")+" of writers")
	}
	return strings.Join(parts, ", ")
}
