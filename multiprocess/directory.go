package multiprocess

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"telltale/internal/mapped"
)

// directory keeps a merger's files in step with a directory's entries.
type directory struct {
	path     string
	merger   *merger
	listings uint64

	info    os.FileInfo // as it was before the last listing
	settled bool        // a change after the last listing would show in the info
}

// graininess is how far apart two changes must be for a directory's time of
// change to tell them apart: a scheduler tick on the usual file systems, up to
// 2 s on others. A directory that had changed more recently than that when it
// was listed is listed again.
const graininess = 2 * time.Second

// refresh lists the directory if it may have changed, and updates all files.
func (d *directory) refresh(ctx context.Context) error {
	info, err := statDirectory(d.path)
	if err != nil {
		return err
	}
	if !d.settled || !os.SameFile(info, d.info) || !info.ModTime().Equal(d.info.ModTime()) {
		if err := d.list(info); err != nil {
			return err
		}
	}
	return d.merger.update(ctx)
}

func statDirectory(path string) (os.FileInfo, error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a directory", path)
	}
	if err != nil {
		return nil, fmt.Errorf("multiprocess: %w", err)
	}
	return info, nil
}

// list reads the directory's entries. Files are kept as long as they are the
// same ones.
func (d *directory) list(info os.FileInfo) error {
	now := time.Now()
	names, err := fileNames(d.path)
	if err != nil {
		return fmt.Errorf("multiprocess: %w", err)
	}
	d.listings++
	d.info = info
	// Without mappings there is no way to tell a file from another of its name.
	d.settled = mapped.Supported && now.Sub(info.ModTime()) > graininess
	m := d.merger
	old := make(map[string]*file, len(m.files))
	for _, f := range m.files {
		old[f.path] = f
	}
	m.files = make([]*file, 0, len(names))
	for _, name := range names {
		path := filepath.Join(d.path, name)
		f := old[path]
		if f != nil && f.source != nil && f.source.replaced() {
			m.close(f)
			f = nil
		}
		if f == nil {
			f = m.open(path, name)
		}
		m.files = append(m.files, f)
		delete(old, path)
	}
	for _, f := range old {
		m.close(f)
		m.changed = true
	}
	return nil
}

// fileNames returns the names of all files that could be a writer's, sorted.
func fileNames(path string) ([]string, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	if err := errors.Join(err, dir.Close()); err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return !strings.HasSuffix(name, suffix) || strings.HasPrefix(name, ".") // as a glob of *.db has it
	})
	slices.Sort(names)
	return names, nil
}
