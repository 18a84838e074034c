package multiprocess

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strconv"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/spool"
)

// Merge merges the given files of Python's client, as the client's
// MultiProcessCollector.merge does, and segments, and returns the families sorted
// by name. The path of a directory stands for the files that a [Collector] of it
// reads: files in it are opened without following links, and only by the names that
// writers give them. If a fold comes between, all is read again.
//
// With accumulate, the buckets of histograms count what is at or below their
// bound, as Prometheus has it, and histograms have a count. Without, each bucket
// counts its own observations alone and there is no count, as the files have it:
// merged files can then be written again.
//
// The order of the files settles conflicts as it does in Python: the first file
// decides a family's type and help, the last one a gauge's mode, and so do
// equally old values of a mostrecent gauge. A file given twice counts twice. Of
// segments the same rules hold as in a [Collector], whatever their names; one that
// belongs to another epoch is an error, as is a copy of another one, or a second
// name of it, and one that an archive among the files has taken up is left out.
//
// Symbolic links to single files and to directories are followed: do not give names
// found in a directory that others write to, but the directory. What is no regular
// file is not opened.
//
// Files that cannot be read are left out, and so are samples of files that do not
// agree with others, on the type of a family for example. The error is all of
// them joined, a [*FileError] for each file and a [*ConflictError] for each
// disagreement that costs samples: callers that want nothing left out take any
// error for failure. The families are good beside an error. A missing file of a
// live gauge is no error, since [MarkProcessDead] may have deleted it.
func Merge(paths []string, accumulate bool) ([]*model.Family, error) {
	return merge(paths, accumulate, nil)
}

func merge(paths []string, accumulate bool, hook mapped.Hook) ([]*model.Family, error) {
	dirs := make(map[string]*spool.Dir)
	defer func() {
		for _, dir := range dirs {
			dir.Close()
		}
	}()
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || !info.IsDir() || dirs[path] != nil {
			continue
		}
		dir, err := spool.Open(path, hook)
		if err != nil {
			return nil, fmt.Errorf("multiprocess: %w", err)
		}
		dirs[path] = dir
	}
	for range rereadings {
		before, err := marksOf(dirs)
		if err != nil {
			return nil, err
		}
		families, failure := mergePaths(paths, dirs, accumulate, hook)
		after, err := marksOf(dirs)
		if err != nil {
			return nil, err
		}
		if maps.Equal(before, after) {
			return families, failure
		}
	}
	return nil, fmt.Errorf("multiprocess: the files were folded %d times while they were read", rereadings)
}

// marksOf returns the marks of the directories' archives.
func marksOf(dirs map[string]*spool.Dir) (map[string]archiveMark, error) {
	marks := make(map[string]archiveMark, len(dirs))
	for path, dir := range dirs {
		mark, err := markOf(dir)
		if err != nil {
			return nil, err
		}
		marks[path] = mark
	}
	return marks, nil
}

// mergePaths merges files, and those of the directories among the paths.
func mergePaths(paths []string, dirs map[string]*spool.Dir, accumulate bool, hook mapped.Hook) ([]*model.Family, error) {
	s := newSettings(nil)
	s.files = hook
	m := newMerger(s, nil)
	m.given = true
	defer m.release()
	for _, path := range paths {
		dir := dirs[path]
		if dir == nil {
			m.files = append(m.files, m.open(place{path: path}))
			continue
		}
		names, err := fileNames(dir, false)
		if err != nil {
			return nil, fmt.Errorf("multiprocess: %w", err)
		}
		for _, name := range names {
			m.files = append(m.files, m.open(place{path: dir.PathOf(name), name: name, dir: dir}))
		}
	}
	ctx := context.Background()
	if err := m.update(ctx); err != nil {
		return nil, err
	}
	var t totals
	if err := m.read(ctx, &t, nil); err != nil {
		return nil, err
	}
	for _, f := range m.files {
		if f.err != nil && f.err.Reason == ReasonVanished && f.source != nil && f.source.passing() {
			f.err = nil
		}
	}
	var families []*model.Family
	for _, v := range m.catalog.views(nil) {
		families = append(families, v.family(&t, bucketing(accumulate)).Clone())
	}
	return families, m.failures()
}

// MarkProcessDead deletes what the process has said of live gauges, its files
// gauge_live*_{pid}.db in dir, so that their families forget it. Counters,
// histograms, summaries and the other gauges of a dead process count on. Call it
// when a worker of a Python service has ended, as gunicorn's child_exit hook
// does with mark_process_dead. If dir is empty, the environment variable
// PROMETHEUS_MULTIPROC_DIR names it. That there are no such files is no error.
//
// The other files of the process are renamed ({type}_{pid}~{unique}.db), so that
// a later fold takes them up ([Fold] with [WithPythonFiles]), unless a process in
// sight has them mapped for writing. They are read as before; a Python program
// that reads the directory gives gauges of the mode all that longer pid.
func MarkProcessDead(dir string, pid int) error {
	path, err := resolveDirectory(dir)
	if err != nil {
		return err
	}
	return markProcessDead(path, pid, nil)
}

func markProcessDead(path string, pid int, hook mapped.Hook) error {
	dir, err := spool.Open(path, hook)
	if err != nil {
		return fmt.Errorf("multiprocess: process %d cannot be marked dead: %w", pid, err)
	}
	defer dir.Close()
	var errs []error
	for _, mode := range gaugeModes {
		if !mode.live() {
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
	if err := markAside(dir, strconv.Itoa(pid), processes{procRoot}); err != nil {
		errs = append(errs, fmt.Errorf("multiprocess: the files of process %d cannot be put aside: %w", pid, err))
	}
	return errors.Join(errs...)
}
