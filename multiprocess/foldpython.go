package multiprocess

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/spool"
)

// Python's writers hold no lock, so that their files are folded in more steps:
// one whose process is dead as far as can be seen is renamed, so that no process
// that begins now finds it, and looked at again. Then it is absorbed like a
// writer's segment, or gets its name back. Under either name it counts.

// foldPython absorbs the files of Python's dead processes.
func (f *folding) foldPython(ctx context.Context, names []spool.Name) error {
	p := &pythonFolding{folding: f, seen: make(notes)}
	var err error
	if p.notes, err = readNotes(f.dir); err != nil && fileError("", err).Reason != ReasonCorrupt { // time begins anew
		f.leaveUnread(spool.FoldNotesName, err)
	}
	absorbed := make(map[spool.Name]bool, len(f.absorbed))
	for _, name := range f.absorbed {
		absorbed[name] = true
	}
	var files, aside []spool.Name
	for _, name := range names {
		switch {
		case absorbed[name]:
		case name.Kind() == spool.Aside:
			aside = append(aside, name)
		case name.Kind() == spool.Python:
			files = append(files, name)
		case name.Claimed() && strings.HasSuffix(name.String(), spool.PythonSuffix):
			f.leave(name, ReasonName, "its name is none that Python's client gives")
		}
	}
	files = append(aside, files...)
	f.chooseAccess(files)
	err = f.inBatches(len(files), func(from, n int) error { return p.absorbBatch(ctx, files[from:from+n]) })
	if err != nil || f.deadAfter == 0 || f.dryRun {
		return err
	}
	if err := p.seen.write(f.dir); err != nil {
		return fmt.Errorf("since when files have not changed cannot be kept: %w", err)
	}
	return nil
}

// pythonFolding is the part of a fold that is about Python's files.
type pythonFolding struct {
	*folding
	notes notes                    // as the last fold has left them
	seen  notes                    // as this one does
	moved map[spool.Name]asideFile // files that this fold has put aside, by the names that they had
}

// asideFile is a file that is about to be absorbed.
type asideFile struct {
	name     spool.Name // as it is now
	original spool.Name
	imprint  imprint
}

// absorbBatch puts aside those of the files whose process is dead, and absorbs them.
func (p *pythonFolding) absorbBatch(ctx context.Context, files []spool.Name) error {
	var candidates []asideFile
	for _, name := range files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c, ok, err := p.candidate(name)
		switch {
		case noDescriptors(err):
			return err
		case errors.Is(err, fs.ErrNotExist): // it was deleted after it was listed
		case err != nil:
			p.leaveUnread(name, err)
		case ok:
			candidates = append(candidates, c)
		}
	}
	return p.absorb(ctx, candidates)
}

// candidate returns a file that may be absorbed under the name that it has then.
func (p *pythonFolding) candidate(name spool.Name) (c asideFile, ok bool, err error) {
	if c, ok = p.moved[name]; ok {
		return c, true, nil
	}
	imprint, err := fingerprint(p.dir, name)
	if err != nil {
		return c, false, p.unlessTwin(name, err)
	}
	if name.Kind() == spool.Aside {
		return p.resume(name, imprint), true, nil
	}
	return p.putAside(name, imprint)
}

// unlessTwin looks at a file with two names: where renaming takes two steps, and a
// fold was killed between them, the second name is taken away.
func (p *pythonFolding) unlessTwin(name spool.Name, err error) error {
	if fileError("", err).Reason != ReasonLinked || name.Kind() != spool.Aside {
		return err
	}
	one, failed := p.dir.Stat(name)
	other, failedToo := p.dir.Stat(name.Original())
	if failed != nil || failedToo != nil || one.Identity != other.Identity || p.dryRun || p.dir.Remove(name, one.Identity) != nil {
		return err
	}
	return defectf(ReasonUnknown, "a fold was killed while it renamed %s; the next one looks at it again", name.Original())
}

// resume looks at a file that was put aside, by a fold that was killed or by
// MarkProcessDead.
func (p *pythonFolding) resume(name spool.Name, imprint imprint) asideFile {
	original := name.Original()
	if note, ok := p.notes[original.String()]; ok && note.Inode == imprint.identity.Inode() {
		imprint.sum = note.Sum // it is seen below if it has changed since
	}
	return asideFile{name, original, imprint}
}

// putAside renames the file of a process that is dead as far as can be seen.
func (p *pythonFolding) putAside(name spool.Name, imprint imprint) (c asideFile, ok bool, err error) {
	_, _, pid, _ := spool.CutPython(name.String())
	switch is, why := p.look().judge(p.dir, name, pid, imprint.identity); {
	case is == alive:
		p.leave(name, ReasonAlive, why)
		return c, false, nil
	case is == dead:
	case is == unseen && p.deadAfter > 0:
		since := p.unchanged(name, imprint)
		if age := p.now.Sub(since); age < p.deadAfter {
			p.leave(name, ReasonUnknown, fmt.Sprintf("its bytes have not changed for %v, of the %v after which it counts as dead (%s)", age.Round(time.Millisecond), p.deadAfter, why))
			return c, false, nil
		}
	default:
		p.leave(name, ReasonUnknown, why)
		return c, false, nil
	}
	if _, err := p.estate(name); err != nil {
		return c, false, err
	}
	if p.dryRun {
		return asideFile{name, name, imprint}, true, nil
	}
	p.step("aside")
	aside, err := putAside(p.dir, name, imprint.identity)
	if err != nil {
		return c, false, err
	}
	c = asideFile{aside, name, imprint}
	if p.moved == nil {
		p.moved = make(map[spool.Name]asideFile)
	}
	p.moved[name] = c
	return c, true, nil
}

// putAside renames a file so that its readers still count it, and no writer finds
// it.
func putAside(dir *spool.Dir, name spool.Name, id mapped.Identity) (aside spool.Name, err error) {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	aside = spool.AsideName(name, random)
	return aside, dir.Rename(name, aside, id)
}

// unchanged returns since when the bytes are known to be what they are.
func (p *pythonFolding) unchanged(name spool.Name, imprint imprint) time.Time {
	old, ok := p.notes[name.String()]
	if !ok || old.Inode != imprint.identity.Inode() || old.Sum != imprint.sum || old.Since.After(p.now) {
		old = note{Inode: imprint.identity.Inode(), Sum: imprint.sum, Since: p.now}
	}
	p.seen[name.String()] = old
	return old.Since
}

// absorb looks at files that were put aside once more and absorbs them, or gives
// them their names back.
func (p *pythonFolding) absorb(ctx context.Context, files []asideFile) error {
	if len(files) == 0 {
		return nil
	}
	if !p.dryRun {
		p.step("look again")
		p.census = p.processes.census()
	}
	var names, told []spool.Name
	for _, file := range files {
		if ctx.Err() != nil {
			return ctx.Err() // the next fold goes on with them
		}
		ok, err := p.take(file)
		switch {
		case noDescriptors(err):
			return err
		case err != nil:
			p.leaveUnread(file.name, err)
		case ok:
			names, told = append(names, file.name), append(told, file.original)
		}
	}
	return p.publish(names, told)
}

// take adds what a file that was put aside leaves to what remains, if its process is
// still not to be seen.
func (p *pythonFolding) take(file asideFile) (ok bool, err error) {
	now, err := fingerprint(p.dir, file.name)
	if err != nil {
		return false, err
	}
	_, _, pid, _ := spool.CutPython(file.name.String())
	is, why := p.look().judge(p.dir, file.name, pid, now.identity)
	switch {
	case is == alive:
		p.putBack(file, why)
		return false, nil
	case now != file.imprint:
		p.putBack(file, "its bytes have changed")
		return false, nil
	case is == doubtful:
		p.leave(file.name, ReasonUnknown, why)
		return false, nil
	}
	info, err := p.dir.Stat(file.name)
	if err == nil {
		err = p.admit(&info)
	}
	if err != nil {
		return false, err
	}
	e, err := p.estate(file.name)
	if err != nil {
		return false, err
	}
	p.remains.add(e)
	p.sizes[file.name] = freedBy(&info)
	return true, nil
}

// putBack gives a file its name back, unless another one has it: then it stays
// aside, where it counts as well.
func (p *pythonFolding) putBack(file asideFile, why string) {
	if file.name == file.original || p.dryRun {
		p.leave(file.original, ReasonAlive, why)
		return
	}
	p.step("put back")
	err := p.dir.Rename(file.name, file.original, file.imprint.identity)
	switch {
	case err == nil:
		p.leave(file.original, ReasonAlive, why)
	case errors.Is(err, fs.ErrExist):
		p.leave(file.name, ReasonAlive, why+"; another file has its name now")
	default:
		p.leave(file.name, ReasonAlive, fmt.Sprintf("%s; it cannot get its name back: %s", why, reported(err)))
	}
}

// estate reads what one of Python's processes leaves.
func (p *pythonFolding) estate(name spool.Name) (*estate, error) {
	info, err := p.dir.Stat(name)
	if err != nil {
		return nil, err
	}
	m := newMerger(&settings{}, p.dir) // nothing is mapped: what is read stays what it is
	file := m.open(place{path: p.dir.PathOf(name), name: name})
	if file.err != nil {
		return nil, file.err.Err
	}
	source := file.source.(*pythonFile)
	defer source.close()
	if _, err := source.update(); err != nil {
		return nil, err
	}
	return pythonEstate(source, time.Unix(0, info.Modified), p.now)
}

// markAside puts the files of a dead process aside, so that the next fold takes
// them up, unless a process in sight writes them.
func markAside(dir *spool.Dir, pid string, p processes) error {
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
	census := p.census()
	for _, name := range found {
		info, err := dir.Stat(name)
		if err == nil && info.CheckRegular() == nil && info.Links == 1 && census.writing[info.Identity] == "" {
			_, err = putAside(dir, name, info.Identity)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
