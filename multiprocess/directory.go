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
	"telltale/multiprocess/internal/segment"
)

// directory keeps a merger's files in step with a directory's entries.
type directory struct {
	path     string
	merger   *merger
	own      func() []ownSegment // that this process writes there; nil if it writes none
	listings uint64

	info    os.FileInfo // as it was before the last listing
	settled bool        // a change after the last listing would show in the info
	owned   []ownSegment
	archive archiveMark // as it was before the last refresh
	lost    error       // why the directory could not be listed
}

// graininess is how far apart two changes must be for a directory's time of
// change to tell them apart: a scheduler tick on the usual file systems, up to
// 2 s on others. A directory that had changed more recently than that when it
// was listed is listed again.
const graininess = 2 * time.Second

// archiveMark tells one archive from another.
type archiveMark struct {
	identity   mapped.Identity
	generation uint64
}

// mark returns the mark of the archive that is there now.
func (d *directory) mark() (mark archiveMark) {
	file, err := mapped.OpenNoFollow(filepath.Join(d.path, archiveName))
	if err != nil {
		return mark
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.Mode != 0 {
		return mark
	}
	mark.identity = info.Identity
	var head [segment.HeaderSize]byte
	if _, err := file.ReadAt(head[:], 0); err == nil {
		h, _ := segment.DecodeHeader(head[:])
		mark.generation = h.Generation
	}
	return mark
}

// refresh lists the directory if it may have changed, and updates all files.
// When it cannot be listed, what this process writes is left.
func (d *directory) refresh(ctx context.Context) error {
	d.lost = nil
	var owned []ownSegment
	if d.own != nil {
		owned = d.own()
	}
	mark := d.mark()
	info, err := statDirectory(d.path)
	switch {
	case err != nil:
	case !d.settled, !os.SameFile(info, d.info), !info.ModTime().Equal(d.info.ModTime()), mark != d.archive, !slices.Equal(owned, d.owned):
		err = d.list(info, owned)
	}
	if err != nil {
		if len(owned) == 0 {
			return err
		}
		d.lost, d.settled = err, false
		d.replace(nil, owned)
	}
	d.archive = mark
	return d.merger.update(ctx)
}

// consistent reports whether no fold has come between the last refresh and now.
// An archive takes up files by taking the place of the one before; files are
// deleted only then. While it is the same, what was listed is all there is.
func (d *directory) consistent() bool { return d.lost != nil || d.mark() == d.archive }

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

// list reads the directory's entries, until two readings agree if it is changing:
// a file that is being renamed may be in one under both names, or under none.
func (d *directory) list(info os.FileInfo, owned []ownSegment) error {
	now := time.Now()
	names, err := fileNames(d.path)
	// Without mappings there is no way to tell a file from another of its name.
	settled := mapped.Supported && now.Sub(info.ModTime()) > graininess
	for again, before := 0, []string(nil); err == nil && !settled && again < 10 && (again == 0 || !slices.Equal(before, names)); again++ {
		before = names
		names, err = fileNames(d.path)
	}
	if err != nil {
		return fmt.Errorf("multiprocess: %w", err)
	}
	d.listings++
	d.info, d.settled = info, settled
	d.replace(d.withoutTwins(names), owned)
	return nil
}

// replace makes the merger's files those of the names and those that this process
// writes. Files are kept as long as they are the same ones.
func (d *directory) replace(names []string, owned []ownSegment) {
	m := d.merger
	old := make(map[place]*file, len(m.files))
	for _, f := range m.files {
		old[f.place] = f
	}
	m.files = make([]*file, 0, len(names)+len(owned))
	keep := func(p place) {
		f := old[p]
		if f != nil && f.source != nil && f.source.replaced() {
			m.close(f)
			f = nil
		}
		if f == nil {
			f = m.open(p)
		}
		m.files = append(m.files, f)
		delete(old, p)
	}
	for _, name := range names {
		if !slices.ContainsFunc(owned, func(own ownSegment) bool { return own.name == name }) {
			keep(place{path: filepath.Join(d.path, name)})
		}
	}
	for _, own := range owned {
		keep(place{filepath.Join(d.path, own.name), own.space})
	}
	for _, f := range old {
		m.close(f)
		m.changed = true
	}
}

// withoutTwins leaves out the second name of a Python file that is being put
// aside, or put back, where that takes a moment in which it has both.
func (d *directory) withoutTwins(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		original, aside := withoutAside(name)
		if !aside {
			return false
		}
		if _, there := slices.BinarySearch(names, original); !there {
			return false
		}
		one, err := mapped.Lstat(filepath.Join(d.path, name))
		other, failed := mapped.Lstat(filepath.Join(d.path, original))
		return err == nil && failed == nil && one.Identity == other.Identity && one.Identity != mapped.Identity{}
	})
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
		return !strings.HasSuffix(name, suffix) && !strings.HasSuffix(name, segmentSuffix) || strings.HasPrefix(name, ".") // as a glob of *.db has it
	})
	slices.Sort(names)
	return names, nil
}
