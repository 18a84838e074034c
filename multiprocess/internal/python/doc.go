// Package python reads the files of Python's client (prometheus_client), as sources of
// a catalog and for folds. Their writers hold no lock: whether one lives is judged by
// what the system shows of its processes.
package python
