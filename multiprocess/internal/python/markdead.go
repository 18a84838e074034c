package python

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/spool"
)

// MarkDead deletes the files of live gauges of a process in the directory at
// the path, and puts its others aside. All operations pass the hook, which may be
// nil.
func MarkDead(path string, pid int, hook mapped.Hook) error {
	dir, err := spool.Open(path, hook)
	if err != nil {
		return fmt.Errorf("multiprocess: process %d cannot be marked dead: %w", pid, err)
	}
	defer dir.Close()
	var errs []error
	for _, mode := range catalog.Modes {
		if !mode.Live() {
			continue
		}
		name := spool.Parse("gauge_" + string(mode) + "_" + strconv.Itoa(pid) + spool.PythonSuffix)
		info, err := dir.Stat(name)
		if err == nil {
			err = dir.Remove(name, info.Identity)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("multiprocess: process %d cannot be marked dead: %w", pid, err))
		}
	}
	if err := markAside(dir, strconv.Itoa(pid), Processes{ProcRoot}); err != nil {
		errs = append(errs, fmt.Errorf("multiprocess: the files of process %d cannot be put aside: %w", pid, err))
	}
	return errors.Join(errs...)
}

// markAside puts the files of a dead process aside, so that the next fold takes
// them up, unless a process in sight writes them.
func markAside(dir *spool.Dir, pid string, p Processes) error {
	var found []spool.Name
	for _, kind := range []string{"counter", "histogram", "summary", "gauge_all", "gauge_min", "gauge_max", "gauge_sum", "gauge_mostrecent"} {
		name := spool.Parse(kind + "_" + pid + spool.PythonSuffix)
		if _, err := dir.Stat(name); err == nil {
			found = append(found, name)
		}
	}
	if len(found) == 0 || !mapped.GrowingSupported {
		return nil
	}
	var errs []error
	census := p.Census()
	for _, name := range found {
		info, err := dir.Stat(name)
		if err == nil && info.CheckRegular() == nil && info.Links == 1 && census.writing[info.Identity] == "" {
			_, err = PutAside(dir, name, info.Identity)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// PutAside renames a file so that its readers still count it, and no writer finds
// it.
func PutAside(dir *spool.Dir, name spool.Name, id mapped.Identity) (aside spool.Name, err error) {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	aside = spool.AsideName(name, random)
	return aside, dir.Rename(name, aside, id)
}
