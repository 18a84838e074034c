package push

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"telltale"
	"telltale/exposition"
)

// Textfile is a file for the textfile collector of node_exporter. It is a [Target]. All
// methods are safe for concurrent use.
type Textfile struct {
	record
	path string
	mu   sync.Mutex
}

// NewTextfile returns the file at a path, which should end in ".prom", or node_exporter
// does not read it. Its directory must exist.
func NewTextfile(path string) *Textfile {
	t := &Textfile{path: path}
	t.name = path
	return t
}

// newFileMode is the mode of a file that was not there before: node_exporter runs as
// another user.
const newFileMode fs.FileMode = 0o644

// Push writes what c emits to the file, in the text format 0.0.4. Readers see the file
// as it was before or as it is afterwards, also after a loss of power: the text goes
// to another file of the directory, which is synced and renamed. A file that is there
// keeps its mode; a new one has 0644. A symbolic link at the path is replaced and not
// followed; what is neither a file nor a link is an error.
func (t *Textfile) Push(ctx context.Context, c telltale.Collector) error {
	return t.attempt(func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		if err := t.write(ctx, c); err != nil {
			return fmt.Errorf("push: writing %s: %w", t.path, err)
		}
		return nil
	})
}

func (t *Textfile) write(ctx context.Context, c telltale.Collector) error {
	mode := newFileMode
	info, err := os.Lstat(t.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return withoutPath(err)
	case info.Mode().IsRegular():
		mode = info.Mode().Perm()
	case info.Mode()&fs.ModeSymlink == 0:
		return errors.New("it is not a file")
	}
	t.removeOld()
	dir, base := filepath.Split(t.path)
	if dir == "" {
		dir = "."
	}
	// A name that node_exporter does not read, and that nobody can have put a link at.
	f, err := os.CreateTemp(dir, "."+base+".*"+temporary)
	if err != nil {
		return withoutPath(err)
	}
	err = fill(ctx, f, c, mode)
	err = errors.Join(err, withoutPath(f.Close()))
	if err == nil {
		err = os.Rename(f.Name(), t.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	syncDirectory(dir)
	return nil
}

// fill makes a file what is pushed, on the disk.
func fill(ctx context.Context, f *os.File, c telltale.Collector, mode fs.FileMode) error {
	if err := writePage(ctx, unnamed{f}, c, exposition.Text004, reserved{}); err != nil {
		return err
	}
	if runtime.GOOS != "windows" { // where modes are otherwise
		if err := f.Chmod(mode); err != nil {
			return withoutPath(err)
		}
	}
	return withoutPath(f.Sync())
}

// unnamed is a file whose errors do not name it.
type unnamed struct{ *os.File }

func (u unnamed) Write(text []byte) (int, error) {
	n, err := u.File.Write(text)
	return n, withoutPath(err)
}

// temporary is the end of the names of files that are being written.
const temporary = ".tmp"

// abandoned is the age of files that nobody writes any more.
const abandoned = time.Hour

// removeOld removes what processes that were killed have left.
func (t *Textfile) removeOld() {
	dir, base := filepath.Split(t.path)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // writing will fail, too
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasPrefix(e.Name(), "."+base+".") || !strings.HasSuffix(e.Name(), temporary) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// syncDirectory makes a rename last, as far as the file system can.
func syncDirectory(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync() // some file systems, and Windows, cannot; the file is whole either way
		_ = d.Close()
	}
}

// withoutPath returns the cause of an operation's error on the file, whose name is told
// anyway.
func withoutPath(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
