package multiprocess

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"telltale/internal/mapped"
)

// Python's writers hold no lock, so that their files are folded in more steps:
// one whose process is dead as far as can be seen is renamed, so that no process
// that begins now finds it, and looked at again. Then it is absorbed like a
// writer's segment, or gets its name back. Under either name it counts.

// foldPython absorbs the files of Python's dead processes.
func (f *folding) foldPython(ctx context.Context, names []string) error {
	p := &pythonFolding{folding: f, census: f.processes.census(), notes: readNotes(f.dir), seen: make(notes)}
	var aside, files []string
	for _, name := range names {
		if filepath.Ext(name) != suffix || name[0] == '.' || slices.Contains(f.absorbed, name) {
			continue
		}
		switch _, is := withoutAside(name); {
		case is:
			aside = append(aside, name)
		default:
			files = append(files, name)
		}
	}
	for len(aside)+len(files) > 0 {
		var candidates []asideFile
		for len(candidates) < batch && len(aside)+len(files) > 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			var c asideFile
			var ok bool
			if len(aside) > 0 {
				c, ok = p.resume(aside[0])
				aside = aside[1:]
			} else {
				c, ok = p.putAside(files[0])
				files = files[1:]
			}
			if ok {
				candidates = append(candidates, c)
			}
		}
		if err := p.absorb(ctx, candidates); err != nil {
			return err
		}
	}
	if f.deadAfter == 0 || f.dryRun {
		return nil
	}
	return p.seen.write(f.dir)
}

// pythonFolding is the part of a fold that is about Python's files.
type pythonFolding struct {
	*folding
	census *census
	notes  notes // as the last fold has left them
	seen   notes // as this one does
}

// asideFile is a file that is about to be absorbed.
type asideFile struct {
	name     string // as it is now
	original string
	imprint  imprint
}

// resume looks at a file that was put aside, by a fold that was killed or by
// MarkProcessDead.
func (p *pythonFolding) resume(name string) (c asideFile, ok bool) {
	original, _ := withoutAside(name)
	path := filepath.Join(p.dir, name)
	imprint, err := fingerprint(path)
	if err != nil {
		p.leaveUnread(name, err)
		return c, false
	}
	if twin, err := mapped.Lstat(filepath.Join(p.dir, original)); err == nil && twin.Identity == imprint.identity {
		// Where renaming takes two steps, the first one was done.
		if !p.dryRun && os.Remove(path) == nil {
			p.leave(original, ReasonUnknown, "a fold was killed while it renamed it; the next one looks at it again")
		}
		return c, false
	}
	if note, ok := p.notes[original]; ok && note.Inode == imprint.identity.Inode() {
		imprint.sum = note.Sum // it is seen below if it has changed since
	}
	return asideFile{name, original, imprint}, true
}

// putAside renames the file of a process that is dead as far as can be seen.
func (p *pythonFolding) putAside(name string) (c asideFile, ok bool) {
	_, pid, err := parsePythonName(name)
	if err != nil {
		p.leaveUnread(name, err)
		return c, false
	}
	path := filepath.Join(p.dir, name)
	imprint, err := fingerprint(path)
	if err != nil {
		p.leaveUnread(name, err)
		return c, false
	}
	switch is, why := p.census.judge(path, pid, imprint.identity); {
	case is == alive:
		p.leave(name, ReasonAlive, why)
		return c, false
	case is == dead:
	case is == unseen && p.deadAfter > 0:
		since := p.unchanged(name, imprint)
		if age := p.now.Sub(since); age < p.deadAfter {
			p.leave(name, ReasonUnknown, fmt.Sprintf("its bytes have not changed for %v, of the %v after which it counts as dead (%s)", age.Round(time.Millisecond), p.deadAfter, why))
			return c, false
		}
	default:
		p.leave(name, ReasonUnknown, why)
		return c, false
	}
	if _, err := p.estate(name); err != nil {
		p.leaveUnread(name, err)
		return c, false
	}
	if p.dryRun {
		return asideFile{name, name, imprint}, true
	}
	p.step("aside")
	aside, err := putAside(p.dir, name)
	if err != nil {
		p.leaveUnread(name, err)
		return c, false
	}
	return asideFile{aside, name, imprint}, true
}

// putAside renames a file so that its readers still count it, and no writer finds
// it.
func putAside(dir, name string) (aside string, err error) {
	unique := make([]byte, asideBytes)
	_, _ = rand.Read(unique) // never fails
	aside = asideName(name, hex.EncodeToString(unique))
	return aside, mapped.RenameNoReplace(filepath.Join(dir, name), filepath.Join(dir, aside))
}

// unchanged returns since when the bytes are known to be what they are.
func (p *pythonFolding) unchanged(name string, imprint imprint) time.Time {
	old, ok := p.notes[name]
	if !ok || old.Inode != imprint.identity.Inode() || old.Sum != imprint.sum || old.Since.After(p.now) {
		old = note{Inode: imprint.identity.Inode(), Sum: imprint.sum, Since: p.now}
	}
	p.seen[name] = old
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
	var names, told []string
	for _, file := range files {
		if ctx.Err() != nil {
			return ctx.Err() // the next fold goes on with them
		}
		path := filepath.Join(p.dir, file.name)
		_, pid, err := parsePythonName(file.name)
		var now imprint
		if err == nil {
			now, err = fingerprint(path)
		}
		if err != nil {
			p.leaveUnread(file.name, err)
			continue
		}
		is, why := p.census.judge(path, pid, now.identity)
		switch {
		case is == alive:
			p.putBack(file, why)
			continue
		case now != file.imprint:
			p.putBack(file, "its bytes have changed")
			continue
		case is == doubtful:
			p.leave(file.name, ReasonUnknown, why)
			continue
		}
		e, err := p.estate(file.name)
		if err != nil {
			p.leaveUnread(file.name, err)
			continue
		}
		p.remains.add(e)
		p.permit(path)
		names, told = append(names, file.name), append(told, file.original)
	}
	return p.publish(names, told)
}

// putBack gives a file its name back, unless another one has it: then it stays
// aside, where it counts as well.
func (p *pythonFolding) putBack(file asideFile, why string) {
	if file.name == file.original || p.dryRun {
		p.leave(file.original, ReasonAlive, why)
		return
	}
	p.step("put back")
	err := mapped.RenameNoReplace(filepath.Join(p.dir, file.name), filepath.Join(p.dir, file.original))
	switch {
	case err == nil:
		p.leave(file.original, ReasonAlive, why)
	case errors.Is(err, fs.ErrExist):
		p.leave(file.name, ReasonAlive, why+"; another file has its name now")
	default:
		p.leave(file.name, ReasonAlive, fmt.Sprintf("%s; it cannot get its name back: %v", why, err))
	}
}

// estate reads what one of Python's processes leaves.
func (p *pythonFolding) estate(name string) (*estate, error) {
	path := filepath.Join(p.dir, name)
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	m := newMerger(&settings{}) // nothing is mapped: what is read stays what it is
	file := m.open(place{path: path})
	if file.err != nil {
		return nil, file.err.Err
	}
	source := file.source.(*pythonFile)
	defer source.close()
	if _, err := source.update(); err != nil {
		return nil, err
	}
	return pythonEstate(source, info.ModTime(), p.now)
}

// markAside puts the files of a dead process aside, so that the next fold takes
// them up, unless a process in sight writes them.
func markAside(dir, pid string, p processes) error {
	var found []string
	for _, kind := range []string{"counter", "histogram", "summary", "gauge_all", "gauge_min", "gauge_max", "gauge_sum", "gauge_mostrecent"} {
		name := kind + "_" + pid + suffix
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			found = append(found, name)
		}
	}
	if len(found) == 0 || !mapped.GrowingSupported {
		return nil
	}
	var errs []error
	census := p.census()
	for _, name := range found {
		info, err := mapped.Lstat(filepath.Join(dir, name))
		if err == nil && checkRegular(info) == nil && census.writing[info.Identity] == "" {
			_, err = putAside(dir, name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
