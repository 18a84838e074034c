package rulesfile

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"telltale/rules"
)

// Interval is how often a file is looked at.
const Interval = time.Second

// Watch gives a view the rules of a file, and those that the file has later, until ctx
// is done. It returns an error, and watches nothing, if the file cannot be read now or
// has an error. Afterwards such a file is refused as a whole, the last rules stay, and
// hook is told, once for each change; a nil hook logs by log/slog. Hook is called from
// one goroutine at a time; its panics are logged, and the file is watched on.
//
// The file may be written in place, or replaced by another, as with the symbolic links
// of a Kubernetes ConfigMap. It is read when it has stayed as it is for an [Interval],
// so that half of a file is not taken for the whole.
func Watch(ctx context.Context, v *rules.View, path string, hook func(error)) error {
	w := &watcher{view: v, path: path, hook: hook}
	info, err := os.Stat(path)
	if err != nil {
		return &Error{path, withoutPath(err)}
	}
	list, err := Read(path)
	if err != nil {
		return err
	}
	if err := v.Set(list...); err != nil {
		return err
	}
	w.read, w.last = info, info
	go w.run(ctx)
	return nil
}

type watcher struct {
	view *rules.View
	path string
	hook func(error) // may be nil
	read os.FileInfo // of what was read, nil if the file was not there
	last os.FileInfo // when it was looked at last, likewise
	told string      // the last error
}

func (w *watcher) run(ctx context.Context) {
	ticker := time.NewTicker(Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		w.look()
	}
}

// look reads the file again if it has changed and is not changing any more.
func (w *watcher) look() {
	info, err := os.Stat(w.path)
	if err != nil {
		info = nil
	}
	settled := same(info, w.last)
	w.last = info
	if !settled || same(info, w.read) {
		return
	}
	w.read = info
	if err == nil {
		err = w.reread()
	} else {
		err = &Error{w.path, withoutPath(err)}
	}
	switch {
	case err == nil:
		w.told = ""
	case err.Error() != w.told:
		w.told = err.Error()
		w.tell(err)
	}
}

// tell tells the hook, whose panic must not end the program.
func (w *watcher) tell(err error) {
	log := slog.Default().With("file", w.path, "error", err)
	if w.hook == nil {
		log.Warn("rules were not read again")
		return
	}
	defer func() {
		if p := recover(); p != nil {
			log.Error("rules were not read again, and the hook for that panicked", "panic", fmt.Sprint(p))
		}
	}()
	w.hook(err)
}

func (w *watcher) reread() error {
	list, err := Read(w.path)
	if err != nil {
		return err
	}
	return w.view.Set(list...)
}

// same reports whether a file has not changed.
func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
