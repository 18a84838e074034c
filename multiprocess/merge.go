package multiprocess

import (
	"errors"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/merging"
	"telltale/multiprocess/internal/python"
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
	return mergeWith(paths, accumulate, nil)
}

func mergeWith(paths []string, accumulate bool, hook mapped.Hook) ([]*model.Family, error) {
	s := newSettings(nil)
	s.files = hook
	families, failures, err := merging.Merge(paths, accumulate, s.gathering())
	if err != nil {
		return nil, err
	}
	for i := range failures {
		failures[i] = public(failures[i])
	}
	return families, errors.Join(failures...)
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
	return python.MarkDead(path, pid, nil)
}
