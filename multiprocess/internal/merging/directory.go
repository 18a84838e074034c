package merging

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/spool"
)

// directory keeps a merger's files in step with a directory's entries.
type directory struct {
	path     string
	hook     mapped.Hook
	dir      *spool.Dir // nil before the first refresh
	merger   *merger
	own      func() []spool.Own // that this process writes there; nil if it writes none
	listings uint64

	info    mapped.Info // as it was before the last listing
	settled bool        // a change after the last listing would show in the info
	owned   []spool.Own
	names   []spool.Name // that the last listing found
	archive archiveMark  // as it was before the last listing
	lost    error        // why the directory could not be listed
}

// graininess is how far apart two changes must be for a directory's time of
// change to tell them apart: a scheduler tick on the usual file systems, up to
// 2 s on others. A directory that had changed more recently than that when it
// was listed is listed again.
const graininess = 2 * time.Second

// archiveMark tells one archive from another. The zero archiveMark is that of no archive.
type archiveMark struct {
	identity   mapped.Identity
	generation uint64
	changed    int64
	passing    bool // a fold came while the archive was opened: it is neither this one nor another
}

// is reports whether both marks are of the same archive.
func (m archiveMark) is(other archiveMark) bool { return m == other && !m.passing }

// markOf returns the mark of the archive that is there now, the zero one if there is
// none that could be merged. An error says that the system does not tell.
func markOf(dir *spool.Dir) (mark archiveMark, err error) {
	file, err := dir.Read(spool.ArchiveName)
	if err == nil {
		defer file.Close()
		var b spool.Beginning
		b, err = spool.Begin(file)
		mark = archiveMark{identity: b.Info.Identity, generation: b.Header.Generation, changed: b.Info.Changed}
	}
	switch {
	case errors.Is(err, mapped.ErrReplaced):
		return archiveMark{passing: true}, nil
	case err != nil && spool.Unavailable(err) && !errors.Is(err, fs.ErrPermission):
		return archiveMark{}, fmt.Errorf("multiprocess: %w", err)
	}
	return mark, nil
}

// attach opens the directory, anew if the path leads to another one by now.
func (d *directory) attach() error {
	if d.dir != nil {
		same, err := d.dir.Same()
		switch {
		case same, errors.Is(err, fs.ErrPermission): // which was there when it was opened
			return nil
		case err != nil:
			return fmt.Errorf("multiprocess: %w", err)
		}
	}
	dir, err := spool.Open(d.path, d.hook)
	if err != nil {
		return fmt.Errorf("multiprocess: %w", err)
	}
	d.release()
	d.dir, d.merger.Dir, d.settled = dir, dir, false
	return nil
}

// release closes the directory.
func (d *directory) release() {
	if d.dir != nil {
		d.dir.Close()
	}
}

// close lets go of all files and of the directory.
func (d *directory) close() {
	d.merger.release()
	d.release()
	d.dir = nil
}

// refresh lists the directory if it may have changed, and updates all files.
// When it is gone, what this process writes is left.
func (d *directory) refresh(ctx context.Context) error {
	d.lost = nil
	var owned []spool.Own
	if d.own != nil {
		owned = d.own()
	}
	err := d.attach()
	if err == nil {
		err = d.list(owned)
	}
	if err != nil {
		if len(owned) == 0 || !spool.Vanished(err) {
			return err
		}
		d.lost, d.settled, d.archive = err, false, archiveMark{}
		d.replace(nil, owned)
	}
	return d.merger.update(ctx)
}

// consistent reports whether no fold has come between the last refresh and now.
// An archive takes up files by taking the place of the one before; files are
// deleted only then. While it is the same, what was listed is all there is.
func (d *directory) consistent() (bool, error) {
	if d.lost != nil {
		return true, nil
	}
	info, err := d.dir.Info()
	if err == nil && d.same(&info) {
		return true, nil
	}
	mark, err := markOf(d.dir)
	return mark.is(d.archive), err
}

// same reports whether no name in the directory was made, deleted or given to another
// file since the last listing began: neither was the archive's. Info is what the directory
// is now.
func (d *directory) same(info *mapped.Info) bool {
	return d.settled && info.Identity == d.info.Identity && info.Modified == d.info.Modified
}

// list lists the directory if it may have changed since that was done last, until
// two readings agree if it is changing: a file that is being renamed may be in one
// under both names, or under none.
func (d *directory) list(owned []spool.Own) error {
	info, err := d.dir.Info()
	if err != nil {
		return fmt.Errorf("multiprocess: %w", err)
	}
	if d.same(&info) && slices.Equal(owned, d.owned) {
		return nil
	}
	mark, err := markOf(d.dir)
	if err != nil {
		return err
	}
	// Without mappings there is no way to tell a file from another of its name.
	settled := mapped.Supported && time.Since(time.Unix(0, info.Modified)) > graininess
	names, err := fileNames(d.dir, settled)
	if err != nil {
		return fmt.Errorf("multiprocess: %w", err)
	}
	d.listings++
	if !slices.Equal(names, d.names) {
		d.merger.AskAnew()
	}
	d.info, d.settled, d.owned, d.names, d.archive = info, settled, owned, names, mark
	d.replace(names, owned)
	return nil
}

// replace makes the merger's files those of the names and those that this process
// writes. Files are kept as long as they are the same ones.
func (d *directory) replace(names []spool.Name, owned []spool.Own) {
	m := d.merger
	old := make(map[spool.Place]*file, len(m.files))
	for _, f := range m.files {
		old[f.Place] = f
	}
	m.files = make([]*file, 0, len(names)+len(owned))
	keep := func(p spool.Place) {
		f := old[p]
		if f != nil && f.source != nil && f.source.Replaced() {
			m.lose(f)
			f = nil
		}
		if f == nil {
			f = m.open(p)
		}
		m.files = append(m.files, f)
		delete(old, p)
	}
	for _, name := range names {
		if !slices.ContainsFunc(owned, func(own spool.Own) bool { return own.Name == name }) {
			keep(spool.Place{Path: d.dir.PathOf(name), Name: name})
		}
	}
	for _, own := range owned {
		path := d.path
		if own.Name != (spool.Name{}) && d.dir != nil {
			path = d.dir.PathOf(own.Name)
		}
		keep(spool.Place{Path: path, Name: own.Name, Own: own.Space})
	}
	for _, f := range old {
		m.lose(f)
		m.changed = true
	}
}

// withoutTwins leaves out the second name of a Python file that is being put
// aside, or put back, where that takes a moment in which it has both.
func withoutTwins(dir *spool.Dir, names []spool.Name) []spool.Name {
	return slices.DeleteFunc(names, func(name spool.Name) bool {
		if name.Kind() != spool.Aside {
			return false
		}
		original := name.Original()
		if _, there := slices.BinarySearchFunc(names, original, compareNames); !there {
			return false
		}
		one, err := dir.Stat(name)
		other, failed := dir.Stat(original)
		return err == nil && failed == nil && one.Identity == other.Identity && one.Identity != mapped.Identity{}
	})
}

func compareNames(a, b spool.Name) int { return strings.Compare(a.String(), b.String()) }

// fileNames returns the names of all files that could be a writer's, sorted. A
// directory that is not settled is listed until two listings agree.
func fileNames(dir *spool.Dir, settled bool) ([]spool.Name, error) {
	names, err := listFiles(dir)
	for again, before := 0, []spool.Name(nil); err == nil && !settled && again < 10 && (again == 0 || !slices.Equal(before, names)); again++ {
		before = names
		names, err = listFiles(dir)
	}
	if err != nil {
		return nil, err
	}
	return withoutTwins(dir, names), nil
}

func listFiles(dir *spool.Dir) ([]spool.Name, error) {
	names, err := dir.List()
	return slices.DeleteFunc(names, func(n spool.Name) bool {
		switch n.Kind() {
		case spool.Writer, spool.Archive, spool.Python, spool.Aside:
			return false
		}
		return !n.Claimed()
	}), err
}
