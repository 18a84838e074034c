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
	"strings"
	"syscall"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
)

// folding is one run of Fold. What makes it safe to be killed at any step:
//
//   - A file is deleted only after an archive that names it has been renamed in,
//     and readers ignore what the archive names. So it counts until the rename
//     and the archive from then on.
//   - A name leaves the archive's list only after the file's deletion is on the
//     disk. So no file that was absorbed counts again.
//   - Only dead writers are absorbed, whose numbers do not change.
type folding struct {
	dir string
	foldSettings
	report *FoldReport
	now    time.Time
	lock   *mapped.Growing

	remains    *remains
	start      int64 // when the newest of the writers that were absorbed began
	generation uint64
	archive    mapped.Identity // of the file archive.seg; zero if there is none
	foreign    bool            // the archive is of another epoch
	absorbed   []string        // names that the archive has
	mode       fs.FileMode     // of the next archive: what all those allow whose numbers it has
	owner      string          // a path whose owner the next archive should have
	sizes      map[string]int64
}

// batch is how many files are absorbed at once. Each dead writer's is open
// meanwhile.
const batch = 512

func (f *folding) run(ctx context.Context) error {
	f.mode, f.sizes = 0o777, make(map[string]int64)
	system, err := mapped.FileSystemOf(f.dir)
	if err != nil {
		return err
	}
	if system.Remote && !f.remote {
		return fmt.Errorf("it is on %s, where a writer that lives elsewhere may count as dead", system.Name)
	}
	if !f.dryRun {
		locked, err := f.begin()
		if err != nil || !locked {
			f.report.Busy = err == nil
			return err
		}
		defer f.lock.Close() //nolint:errcheck // nothing was written to it
	}
	e, h, err := f.readArchive()
	if err != nil {
		return err
	}
	names, err := entries(f.dir)
	if err != nil {
		return err
	}
	if !f.dryRun {
		if err := f.finish(); err != nil {
			return err
		}
		f.sweep(names)
	}
	writers, sure, err := f.survey(ctx, names)
	if err != nil {
		return err
	}
	f.chooseEpoch(writers, h)
	f.foreign = h != nil && h.Epoch != f.report.Epoch
	if f.foreign && !sure {
		return fmt.Errorf("%s is of epoch %q, and it is not sure that it is over: a writer that cannot be read may be of it", archiveName, h.Epoch)
	}
	if h != nil && !f.foreign {
		f.remains.add(e)
		f.start = h.Start
	}
	if err := f.foldWriters(ctx, writers, sure); err != nil {
		return err
	}
	if f.python {
		return f.foldPython(ctx, names)
	}
	return nil
}

// begin takes the lock that lets one fold run at a time.
func (f *folding) begin() (locked bool, err error) {
	f.lock, err = lockFolding(f.dir)
	if f.lock == nil {
		return false, err
	}
	f.step("locked")
	return true, nil
}

// lockFolding takes the lock that lets one process at a time change what dead
// writers left. It returns nil where another one has it.
func lockFolding(dir string) (*mapped.Growing, error) {
	path := filepath.Join(dir, foldLockName)
	lock, err := mapped.Create(path, 0o600)
	if err == nil {
		giveAway(path, dir)
	} else if errors.Is(err, fs.ErrExist) {
		lock, err = mapped.OpenWritable(path)
	}
	if err != nil {
		return nil, err
	}
	locked, err := lock.Lock()
	if err == nil && locked {
		var seen bool
		if seen, err = mapped.Probe(path); err == nil && !seen {
			err = errors.New("locks do not hold there, so that live writers cannot be told from dead ones")
		}
	}
	if err != nil || !locked {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// giveAway makes a file that root made that of whose files it is about: a
// service that does not run as root has to get at it.
func giveAway(path, like string) {
	if os.Geteuid() != 0 {
		return
	}
	if user, group, ok := ownerOf(like); ok && user != 0 {
		_ = os.Chown(path, int(user), int(group)) // or it stays root's
	}
}

// readArchive reads the archive. One that cannot be read is an error: replacing
// it would lose what it has.
func (f *folding) readArchive() (e *estate, h *segment.Header, err error) {
	path := filepath.Join(f.dir, archiveName)
	file, err := mapped.OpenNoFollow(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err == nil {
		var info mapped.Info
		info, err = file.Stat()
		f.archive = info.Identity
		if err == nil {
			e, h, err = f.readSegment(file)
		}
		file.Close()
	}
	if err == nil && h.Kind != segment.KindArchive {
		err = errors.New("it is no archive")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s cannot be read, and moving it away would lose the totals of dead writers: %w", path, err)
	}
	f.generation, f.absorbed = h.Generation, e.absorbed
	f.permit(path)
	f.owner = path
	return e, h, nil
}

// permit takes from the next archive's permissions those that a file lacks whose
// numbers it has.
func (f *folding) permit(path string) {
	if info, err := os.Lstat(path); err == nil {
		f.mode &= info.Mode().Perm()
		f.sizes[filepath.Base(path)] = info.Size()
	}
	if f.owner == "" {
		f.owner = path
	}
}

// readSegment reads what the writer of a segment leaves.
func (f *folding) readSegment(file *mapped.File) (e *estate, h *segment.Header, err error) {
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	if err := checkRegular(info); err != nil {
		return nil, nil, err
	}
	if info.Size < segment.HeaderSize {
		return nil, nil, defectf(ReasonTruncated, "it has %d bytes, less than a header", info.Size)
	}
	if int64(int(info.Size)) != info.Size {
		return nil, nil, defectf(ReasonRead, "its %d bytes are too many to be mapped", info.Size)
	}
	region, err := file.Map(int(info.Size))
	if err != nil {
		return nil, nil, err
	}
	defer region.Unmap()
	fault := region.Guard(func() { e, h, err = readEstate(memory(region.Bytes()), f.now, f.expiry) })
	return e, h, errors.Join(fault, err)
}

// finish deletes the files that the archive has absorbed, and forgets their names
// once that is on the disk. Those that cannot be deleted keep their names there.
func (f *folding) finish() error {
	if len(f.absorbed) == 0 {
		return nil
	}
	var left []string
	for _, name := range f.absorbed {
		f.step("unlink")
		err := f.remove(name)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		left = append(left, name)
		f.leave(name, ReasonDelete, err.Error())
	}
	f.step("unlinked")
	if err := mapped.SyncDir(f.dir); err != nil {
		return err
	}
	f.absorbed = left
	return nil
}

// remove deletes a file of the directory.
func (f *folding) remove(name string) error {
	path := filepath.Join(f.dir, name)
	size, known := f.sizes[name]
	if info, err := os.Lstat(path); !known && err == nil {
		size = info.Size()
	}
	err := os.Remove(path)
	if err == nil {
		f.report.Freed += size
	}
	delete(f.sizes, name)
	return err
}

// leave reports a file that is left alone.
func (f *folding) leave(name string, reason Reason, why string) {
	f.report.Left = append(f.report.Left, LeftFile{name, reason, why})
}

// leaveUnread reports a file that cannot be read.
func (f *folding) leaveUnread(name string, err error) {
	f.leave(name, fileError(name, err).Reason, err.Error())
}

// sweepAge is how old a temporary file is that somebody who died has left: it is
// locked as soon as it is there.
const sweepAge = time.Minute

// sweep deletes temporary files of processes that died. Nobody depends on it.
func (f *folding) sweep(names []string) {
	for _, name := range names {
		path := filepath.Join(f.dir, name)
		if !strings.HasPrefix(name, temporary) {
			continue
		}
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() || f.now.Sub(info.ModTime()) < sweepAge {
			continue
		}
		if locked, err := mapped.Probe(path); err != nil || locked {
			continue
		}
		f.step("sweep")
		if f.remove(name) == nil {
			f.report.Swept = append(f.report.Swept, name)
		}
	}
}

// entries returns the names in a directory, sorted.
func entries(path string) ([]string, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	slices.Sort(names)
	return names, errors.Join(err, dir.Close())
}

// foldWriters absorbs what dead writers left and drops those of another epoch.
func (f *folding) foldWriters(ctx context.Context, writers []foundWriter, sure bool) error {
	var dead, old []foundWriter
	for _, w := range writers {
		switch {
		case w.live:
		case w.header.Epoch == f.report.Epoch:
			dead = append(dead, w)
		case sure:
			old = append(old, w)
		default:
			f.leave(w.name, ReasonEpoch, fmt.Sprintf("it is of epoch %q, and it is not sure that it is over: a writer that cannot be read may be of it", w.header.Epoch))
		}
	}
	for len(dead) > 0 {
		n, err := f.absorb(ctx, dead)
		if err != nil {
			return err
		}
		dead = dead[n:]
	}
	for _, w := range old {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !f.dryRun {
			f.step("drop")
			if err := f.remove(w.name); err != nil {
				f.leave(w.name, ReasonDelete, fmt.Sprintf("it is of epoch %q, which is over, and cannot be deleted: %v", w.header.Epoch, err))
				continue
			}
		}
		f.report.Dropped = append(f.report.Dropped, w.name)
	}
	return nil
}

// absorb absorbs the first of the dead writers, and returns how many. Their locks
// are held until the archive is there: a fold that lost its own lock, because
// somebody deleted that file, does not see them as dead then.
func (f *folding) absorb(ctx context.Context, writers []foundWriter) (n int, err error) {
	var names []string
	var held []*mapped.Growing
	defer func() {
		for _, g := range held {
			err = errors.Join(err, g.Close())
		}
	}()
	for n < len(writers) && n < batch {
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
		w := &writers[n]
		path := filepath.Join(f.dir, w.name)
		file, holds, err := f.hold(path)
		if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
			if n == 0 {
				return n, err
			}
			break // those to come are held when these are let go
		}
		n++
		if holds != nil {
			held = append(held, holds)
		}
		var e *estate
		if err == nil {
			e, _, err = f.readSegment(file)
		}
		if file != nil && holds == nil {
			file.Close()
		}
		switch {
		case errors.Is(err, errRevived):
			f.leave(w.name, ReasonAlive, err.Error())
			continue
		case err != nil:
			f.leaveUnread(w.name, err)
			continue
		}
		f.remains.add(e)
		f.start = max(f.start, w.header.Start)
		f.permit(path)
		names = append(names, w.name)
	}
	f.step("held")
	return n, f.publish(names, names)
}

var errRevived = errors.New("somebody has locked it")

// hold opens a dead writer's segment and takes its lock; in a dry run it does not.
func (f *folding) hold(path string) (*mapped.File, *mapped.Growing, error) {
	if f.dryRun {
		file, err := mapped.OpenNoFollow(path)
		return file, nil, err
	}
	g, err := mapped.OpenWritable(path)
	if err != nil {
		return nil, nil, err
	}
	if locked, err := g.Locked(); err == nil && !locked {
		// Readers see the lock that comes now, and must not take it for the
		// writer's. It is no harm if they cannot be told: for a moment they show
		// what the writer said of itself while it lived.
		if first, err := g.Extend(0, os.Getpagesize()); err == nil {
			segment.MarkDead(first)
		}
		g.Unmap()
	}
	locked, err := g.Lock()
	if err == nil && !locked {
		err = errRevived
	}
	return &g.File, g, err
}

// publish puts an archive with what remains in place of the present one, and
// deletes the named files. They are reported by the names in told.
func (f *folding) publish(names, told []string) error {
	if len(names) == 0 {
		return nil
	}
	if !f.dryRun {
		if err := f.replaceArchive(names); err != nil {
			return err
		}
	}
	if f.foreign {
		f.report.Dropped, f.foreign = append(f.report.Dropped, archiveName), false
	}
	f.report.Absorbed = append(f.report.Absorbed, told...)
	if f.dryRun {
		for _, name := range names {
			f.report.Freed += f.sizes[name]
		}
		return nil
	}
	return f.finish()
}

// replaceArchive writes the next generation of the archive and renames it in.
func (f *folding) replaceArchive(names []string) (err error) {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	path := filepath.Join(f.dir, temporary+"archive-"+hex.EncodeToString(id))
	f.step("create")
	g, err := mapped.Create(path, f.mode|0o600)
	if err != nil {
		return err
	}
	defer func() {
		g.Unmap()
		err = errors.Join(err, g.Close())
		if err != nil {
			_ = os.Remove(path) // or the next fold sweeps it
		}
	}()
	if locked, err := g.Lock(); err != nil || !locked {
		return errors.Join(errors.New("the next archive cannot be locked"), err)
	}
	f.step("created")
	h := segment.Header{Kind: segment.KindArchive, ID: [16]byte(id), Start: f.start, PID: uint64(os.Getpid()), Generation: f.generation + 1, Epoch: f.report.Epoch}
	list := slices.Concat(f.absorbed, names)
	used, err := f.fill(g, h, list)
	if err != nil {
		return err
	}
	f.step("filled")
	g.Unmap()
	page := int64(os.Getpagesize())
	if err := os.Truncate(path, (int64(used)+page-1)/page*page); err != nil {
		return err
	}
	giveAway(path, f.owner)
	if err := g.Sync(); err != nil {
		return err
	}
	if err := errors.Join(g.Close(), f.undisturbed()); err != nil {
		return err
	}
	f.step("synced")
	if err := os.Rename(path, filepath.Join(f.dir, archiveName)); err != nil {
		return err
	}
	f.step("renamed")
	f.archive, f.generation, f.absorbed = g.Identity(), h.Generation, list
	f.owner = filepath.Join(f.dir, archiveName)
	return mapped.SyncDir(f.dir)
}

// fill writes an archive and checks that all of it is there.
func (f *folding) fill(g *mapped.Growing, h segment.Header, absorbed []string) (used uint64, err error) {
	w, err := segment.NewWriter(&fileMemory{file: g}, firstExtent(), h)
	if err != nil {
		return 0, err
	}
	if err := w.Absorb(absorbed); err != nil {
		return 0, err
	}
	if err := f.remains.write(w); err != nil {
		return 0, err
	}
	u, err := segment.UsageOf(w)
	if err == nil {
		err = f.remains.check(u)
	}
	if err != nil {
		return 0, fmt.Errorf("the next archive is not good and was not used: %w", err)
	}
	return w.Used(), nil
}

// undisturbed returns an error if somebody has replaced or deleted the files that
// a fold relies on.
func (f *folding) undisturbed() error {
	info, err := mapped.Lstat(filepath.Join(f.dir, foldLockName))
	if err == nil && info.Identity != f.lock.Identity() {
		err = errors.New("it is another file now")
	}
	if err != nil {
		return fmt.Errorf("somebody meddled with %s, so that another fold may be under way: %w", foldLockName, err)
	}
	info, err = mapped.Lstat(filepath.Join(f.dir, archiveName))
	if errors.Is(err, fs.ErrNotExist) {
		info, err = mapped.Info{}, nil
	}
	if err == nil && info.Identity != f.archive {
		err = errors.New("it is not the file that was read")
	}
	if err != nil {
		return fmt.Errorf("somebody meddled with %s: %w", archiveName, err)
	}
	return nil
}
