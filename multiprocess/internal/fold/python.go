package fold

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/estate"
	"telltale/multiprocess/internal/python"
	"telltale/multiprocess/internal/spool"
)

// Python's writers hold no lock, so that their files are folded in more steps:
// one whose process is dead as far as can be seen is renamed, so that no process
// that begins now finds it, and looked at again. Then it is absorbed like a
// writer's segment, or gets its name back. Under either name it counts.

// foldPython absorbs the files of Python's dead processes.
func (f *folding) foldPython(ctx context.Context, names []spool.Name) error {
	p := &pythonFolding{folding: f, seen: make(python.Notes)}
	var err error
	if p.notes, err = python.ReadNotes(f.dir); err != nil && spool.ReasonOf(err) != spool.ReasonCorrupt { // time begins anew
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
			f.leave(name, spool.ReasonName, "its name is none that Python's client gives")
		}
	}
	files = append(aside, files...)
	f.chooseAccess(files)
	err = f.inBatches(len(files), func(from, n int) error { return p.absorbBatch(ctx, files[from:from+n]) })
	if err != nil || f.DeadAfter == 0 || f.DryRun {
		return err
	}
	if err := p.seen.Write(f.dir); err != nil {
		return fmt.Errorf("the notes on since when Python's files have not changed cannot be written: %w", err)
	}
	return nil
}

// pythonFolding is the part of a fold that is about Python's files.
type pythonFolding struct {
	*folding
	notes python.Notes             // as the last fold has left them
	seen  python.Notes             // as this one does
	moved map[spool.Name]asideFile // files that this fold has put aside, by the names that they had
}

// asideFile is a file that is about to be absorbed.
type asideFile struct {
	name     spool.Name // as it is now
	original spool.Name
	imprint  python.Imprint
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
	imprint, err := python.Fingerprint(p.dir, name)
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
	if spool.ReasonOf(err) != spool.ReasonLinked || name.Kind() != spool.Aside {
		return err
	}
	one, failed := p.dir.Stat(name)
	other, failedToo := p.dir.Stat(name.Original())
	if failed != nil || failedToo != nil || one.Identity != other.Identity || p.DryRun || p.dir.Remove(name, one.Identity) != nil {
		return err
	}
	return spool.Defectf(spool.ReasonUnknown, "a fold was killed while it renamed %s; the next one looks at it again", name.Original())
}

// resume looks at a file that was put aside, by a fold that was killed or by
// MarkProcessDead.
func (p *pythonFolding) resume(name spool.Name, imprint python.Imprint) asideFile {
	original := name.Original()
	if note, ok := p.notes[original.String()]; ok && note.Inode == imprint.Identity.Inode() {
		imprint.Sum = note.Sum // it is seen below if it has changed since
	}
	return asideFile{name, original, imprint}
}

// putAside renames the file of a process that is dead as far as can be seen.
func (p *pythonFolding) putAside(name spool.Name, imprint python.Imprint) (c asideFile, ok bool, err error) {
	_, _, pid, _ := spool.CutPython(name.String())
	switch is, why := p.look().Judge(p.dir, name, pid, imprint.Identity); {
	case is == python.Alive:
		p.leave(name, spool.ReasonAlive, why)
		return c, false, nil
	case is == python.Dead:
	case is == python.Unseen && p.DeadAfter > 0:
		since := p.unchanged(name, imprint)
		if age := p.now.Sub(since); age < p.DeadAfter {
			p.leave(name, spool.ReasonUnknown, fmt.Sprintf("its bytes have not changed for %v, of the %v after which it counts as dead (%s)", age.Round(time.Millisecond), p.DeadAfter, why))
			return c, false, nil
		}
	default:
		p.leave(name, spool.ReasonUnknown, why)
		return c, false, nil
	}
	if _, err := p.estate(name); err != nil {
		return c, false, err
	}
	if p.DryRun {
		return asideFile{name, name, imprint}, true, nil
	}
	p.Step("aside")
	aside, err := python.PutAside(p.dir, name, imprint.Identity)
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

// unchanged returns since when the bytes are known to be what they are.
func (p *pythonFolding) unchanged(name spool.Name, imprint python.Imprint) time.Time {
	old, ok := p.notes[name.String()]
	if !ok || old.Inode != imprint.Identity.Inode() || old.Sum != imprint.Sum || old.Since.After(p.now) {
		old = python.Note{Inode: imprint.Identity.Inode(), Sum: imprint.Sum, Since: p.now}
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
	if !p.DryRun {
		p.Step("look again")
		p.census = p.Processes.Census()
	}
	var dead []asideFile
	for _, file := range files {
		if ctx.Err() != nil {
			return ctx.Err() // the next fold goes on with them
		}
		ok, err := p.isDead(file)
		if err := p.unlessLeft(file.name, err); err != nil {
			return err
		}
		if ok {
			dead = append(dead, file)
		}
	}
	if len(dead) == 0 {
		return nil
	}
	if _, err := p.hear(); err != nil {
		return err
	}
	var names, told []spool.Name
	for _, file := range dead {
		e, err := p.estate(file.name)
		if err := p.unlessLeft(file.name, err); err != nil {
			return err
		}
		if err == nil {
			p.remains.Add(e)
			names, told = append(names, file.name), append(told, file.original)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return p.publish(names, told)
}

// isDead looks once more whether the process of a file that was put aside is not to be
// seen, so that the file may be absorbed.
func (p *pythonFolding) isDead(file asideFile) (ok bool, err error) {
	now, err := python.Fingerprint(p.dir, file.name)
	if err != nil {
		return false, err
	}
	_, _, pid, _ := spool.CutPython(file.name.String())
	is, why := p.look().Judge(p.dir, file.name, pid, now.Identity)
	switch {
	case is == python.Alive:
		p.putBack(file, why)
		return false, nil
	case now != file.imprint:
		p.putBack(file, "its bytes have changed")
		return false, nil
	case is == python.Doubtful:
		p.leave(file.name, spool.ReasonUnknown, why)
		return false, nil
	}
	info, err := p.dir.Stat(file.name)
	if err == nil {
		err = p.admit(&info)
	}
	if err != nil {
		return false, err
	}
	p.sizes[file.name] = freedBy(&info)
	return true, nil
}

// putBack gives a file its name back, unless another one has it: then it stays
// aside, where it counts as well.
func (p *pythonFolding) putBack(file asideFile, why string) {
	if file.name == file.original || p.DryRun {
		p.leave(file.original, spool.ReasonAlive, why)
		return
	}
	p.Step("put back")
	err := p.dir.Rename(file.name, file.original, file.imprint.Identity)
	switch {
	case err == nil:
		p.leave(file.original, spool.ReasonAlive, why)
	case errors.Is(err, fs.ErrExist):
		p.leave(file.name, spool.ReasonAlive, why+"; another file has its name now")
	default:
		p.leave(file.name, spool.ReasonAlive, fmt.Sprintf("%s; it cannot get its name back: %s", why, spool.Describe(err)))
	}
}

// estate reads what one of Python's processes leaves.
func (p *pythonFolding) estate(name spool.Name) (*estate.Estate, error) {
	info, err := p.dir.Stat(name)
	if err != nil {
		return nil, err
	}
	// Nothing is mapped: what is read stays what it is.
	file, err := python.NewFiles(&spool.Reading{Dir: p.dir, MaxRead: p.dir.MaxRead}).File(spool.Place{Path: p.dir.PathOf(name), Name: name})
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.Update(catalog.New()); err != nil {
		return nil, err
	}
	return python.EstateOf(file, time.Unix(0, info.Modified), p.now)
}
