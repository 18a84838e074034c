//go:build unix

package metamorphic

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/multiprocess"
	"telltale/multiprocess/internal/fold"
	"telltale/multiprocess/internal/inject"
	"telltale/multiprocess/internal/python"
	"telltale/multiprocess/internal/segment"
)

// archive is the path of the archive.
func (r *run) archive() string { return filepath.Join(r.dir, "archive.seg") }

// fold folds, and notes what the directory has then.
func (r *run) fold() error {
	report, err := multiprocess.Fold(context.Background(), r.dir, multiprocess.WithPythonFiles())
	switch {
	case r.world.spoilt && err == nil:
		return errors.New("a fold did without an archive that cannot be read")
	case r.world.spoilt:
		return nil
	case err != nil:
		return err
	case report.Busy:
		return errors.New("a fold is busy where there is no other")
	}
	for _, p := range r.world.processes {
		if slices.Contains(report.Dropped, filepath.Base(r.paths[p.name])) && !r.world.over(p) {
			return fmt.Errorf("the fold has deleted what %s left, whose epoch is not over", p.name)
		}
	}
	return r.settle()
}

// stop folds, and lets nothing more come of it from its operation of the number on.
func (r *run) stop(number string) error {
	if err := r.way.stop(r.dir, number); err != nil || r.world.spoilt {
		return err
	}
	return r.settle()
}

// stopInner folds in this process. From an operation on all fail, so that the directory
// is as if the process had ended there.
func stopInner(dir, number string) error {
	files, err := inject.Parse("EIO on * " + number + "+")
	if err == nil {
		foldWith(dir, files)
	}
	return err
}

// foldWith folds as far as it comes: operations may fail, and the archive may be damaged.
func foldWith(dir string, files *inject.Injector) {
	_, _ = fold.Run(context.Background(), dir, fold.Settings{
		Files: files.Hook, Expiry: time.Hour, Step: func(string) {}, Python: true, Processes: python.Processes{Root: python.ProcRoot},
	})
}

// stopOuter folds in a child that is killed.
func stopOuter(dir, number string) error {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), foldVariable+"="+dir, inject.Variable+"=kill before * "+number, "GORACE=atexit_sleep_ms=0")
	said, err := cmd.CombinedOutput()
	var killed *exec.ExitError
	if errors.As(err, &killed) && !killed.Exited() {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil // it had fewer operations
}

// foldVariable has this binary be a process that folds: it names the directory.
const foldVariable = "METAMORPHIC_TEST_FOLD"

// beFold folds until it is killed.
func beFold(dir string) error {
	files, err := inject.FromEnvironment()
	if err == nil {
		foldWith(dir, files)
	}
	return err
}

// settle notes which processes only the archive has, and forgets those of which folds
// have deleted what they left because their epoch is over.
func (r *run) settle() error {
	var gone []*process
	h, err := headerOf(r.archive())
	if err != nil {
		return err
	}
	another := h != nil && h.Generation != r.generation
	for _, p := range r.world.processes {
		switch {
		case r.isThere(p):
		case !p.archived && r.world.over(p), p.archived && another && r.world.over(p):
			gone = append(gone, p)
			for family := range p.families { // when its edition appeared went with it
				r.world.vague[family] = true
			}
		case p.python:
			p.python, p.archived, p.epoch = false, true, h.Epoch
		default:
			p.archived = true
		}
	}
	if another {
		r.generation, r.world.archive, r.world.archiveOf = h.Generation, &h.Epoch, h.Service
		r.world.bury()
	}
	r.world.processes = slices.DeleteFunc(r.world.processes, func(p *process) bool { return slices.Contains(gone, p) })
	return nil
}

// headerOf returns the header of a segment, nil if there is no file.
func headerOf(path string) (*segment.Header, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, segment.HeaderSize)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, err
	}
	h, err := segment.DecodeHeader(head)
	return &h, err
}

// overwrite writes into the beginning of a file, if it is there.
func overwrite(path, begin string) (there bool, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = f.WriteAt([]byte(begin), 0)
	return true, errors.Join(err, f.Close())
}

const (
	spoilt = "damaged!"
	whole  = "\x89TTSEG\r\n"
)

// clone copies the directory, and compares what readers find there with what the
// world has, of which nobody lives there. Folds of the copy change nothing.
func (r *run) clone() *failure {
	for _, w := range r.writers {
		w.beat()
	}
	dir, err := os.MkdirTemp(r.way.parent, "telltale-metamorphic-copy-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		err = copyDirectory(dir, r.dir)
	}
	if err != nil {
		return failed("setting up", "%v", err)
	}
	there := r.world.afterwards()
	for _, folded := range []string{"", ", folded", ", folded again"} {
		if folded != "" && !there.spoilt {
			if _, err := multiprocess.Fold(context.Background(), dir, multiprocess.WithPythonFiles()); err != nil {
				return failed("error", "the fold of a copy of the directory: %v", err)
			}
		}
		page, err := readAfresh(dir, func(error) {}) // what is odd here is odd there
		if err != nil {
			return failed("error", "a copy of the directory%s: %v", folded, err)
		}
		if wrong := there.wrong(page, false, there.epochsSeen(false)); wrong != "" {
			return failed("total", "a copy of the directory%s: %s", folded, wrong)
		}
	}
	return nil
}

// afterwards returns the world once all processes have ended.
func (w *world) afterwards() *world {
	dead := *w
	dead.processes = nil
	for _, p := range w.processes {
		ended := *p
		ended.lives = false
		dead.processes = append(dead.processes, &ended)
	}
	return &dead
}

func copyDirectory(to, from string) error {
	entries, err := os.ReadDir(from)
	for _, e := range entries {
		source, target := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		info, failed := e.Info()
		switch {
		case failed != nil:
			err = errors.Join(err, failed)
		case info.IsDir():
			err = errors.Join(err, os.Mkdir(target, 0o700))
		case info.Mode().IsRegular() && info.Size() > 1<<26: // it is sparse
			err = errors.Join(err, os.WriteFile(target, nil, 0o600), os.Truncate(target, info.Size()))
		case info.Mode().IsRegular():
			content, failed := os.ReadFile(source)
			err = errors.Join(err, failed, os.WriteFile(target, content, 0o600))
		default:
			err = errors.Join(err, os.Symlink("nowhere", target))
		}
	}
	return err
}

// refuses reports whether a store of the service cannot be opened: another one has the
// directory, or left something there.
func (w *world) refuses(service string) bool {
	others := func(name string) bool { return service != "" && name != "" && name != service }
	return !w.spoilt && others(w.archiveOf) ||
		slices.ContainsFunc(w.processes, func(p *process) bool { return !p.archived && !p.damaged && others(p.service) })
}

// hides reports whether an archive that cannot be read is of another service than the
// given one, so that a store can be opened, which fails once it can be read again.
func (w *world) hides(service string) bool {
	return w.spoilt && service != "" && w.archiveOf != "" && w.archiveOf != service
}

// opened holds how opening a store went against what the world says.
func (r *run) opened(o op, err error) error {
	switch refused := r.world.refuses(o.opt("service")); {
	case refused && err == nil:
		return errors.New("a store of another service was opened")
	case refused && strings.Contains(err.Error(), "directory of its own"):
		return nil
	}
	return err
}

// stops returns a number of an operation for stop.
func (g *generator) stops() string { return strconv.Itoa(1 + g.random.IntN(60)) }
