package fold

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/estate"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// replaceArchive writes the next generation of the archive, which has absorbed the
// named files too, and renames it in.
func (f *folding) replaceArchive(names []spool.Name) (h segment.Header, err error) {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	name := spool.TemporaryName("archive", id)
	f.Step("create")
	g, err := f.dir.Create(name, spool.Private)
	if err != nil {
		return h, err
	}
	defer func() {
		g.Unmap()
		err = errors.Join(err, g.Close())
		if err != nil {
			_ = f.dir.Remove(name, g.Identity()) // or the next fold sweeps it
		}
	}()
	if locked, err := g.Lock(); err != nil || !locked {
		return h, errors.Join(errors.New("the next archive cannot be locked"), err)
	}
	f.Step("created")
	h = segment.Header{
		Kind: segment.KindArchive, ID: id, Start: f.start, PID: uint64(os.Getpid()), Boot: f.newest.Boot, Namespace: f.newest.Namespace, Generation: f.generation + 1,
		Epoch: f.report.Epoch, EpochFirst: f.first, Service: f.service,
	}
	if h.Boot == f.clock.Boot && f.clock.Monotonic > 0 {
		h.Ahead = f.clock.Wall - f.clock.Monotonic
	}
	list := slices.Concat(f.absorbed, names)
	applied, carried := f.settleTombs(list)
	used, err := f.fill(g, h, segment.Notes{Taken: spool.Take(list), Applied: applied, Carried: carried})
	if err != nil {
		return h, err
	}
	f.Step("filled")
	g.Unmap()
	if err := errors.Join(f.dir.Give(g, *f.access), g.Truncate(spool.WholePages(int64(used))), g.Sync()); err != nil {
		return h, err
	}
	if err := f.undisturbed(); err != nil {
		return h, err
	}
	f.Step("synced")
	if err := f.dir.Show(g, spool.ArchiveName, f.archive); err != nil {
		return h, fmt.Errorf("the next archive cannot take the place of %s: %w", spool.ArchiveName, err)
	}
	f.Step("renamed")
	f.archive, f.generation, f.absorbed = g.Identity(), h.Generation, list
	f.applied, f.carried, f.forgets = applied, carried, false
	return h, f.dir.Sync()
}

// fill writes an archive and checks that all of it is there.
func (f *folding) fill(g *mapped.Growing, h segment.Header, notes segment.Notes) (used uint64, err error) {
	w, err := segment.NewWriter(spool.MemoryOf(g), spool.FirstExtent(), h)
	if err != nil {
		return 0, err
	}
	if err := w.Note(notes); err != nil {
		return 0, err
	}
	if err := f.remains.Write(w); err != nil {
		return 0, err
	}
	u, err := segment.UsageOf(w)
	if err == nil {
		err = f.remains.Check(u)
	}
	if err != nil {
		return 0, fmt.Errorf("the next archive is not good and was not used: %w", err)
	}
	return w.Used(), nil
}

// undisturbed returns an error if another process has replaced or deleted the lock that a
// fold relies on.
func (f *folding) undisturbed() error {
	info, err := f.dir.Stat(spool.FoldLockName)
	if err == nil && info.Identity != f.lock.Identity() {
		err = errors.New("it is another file now")
	}
	if err != nil {
		return fmt.Errorf("another process replaced or deleted %s, so that a second fold may be under way: %w", spool.FoldLockName, err)
	}
	return nil
}

// readArchive reads the archive. One that cannot be read is an error: replacing
// it would lose what it has.
func (f *folding) readArchive() (e *estate.Estate, h *segment.Header, err error) {
	file, err := f.dir.Read(spool.ArchiveName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	var info mapped.Info
	if err == nil {
		e, h, info, err = f.readSegment(spool.ArchiveName, file)
		file.Close()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s cannot be read, and moving it away would lose the totals of dead writers: %w", spool.Quote(f.dir.PathOf(spool.ArchiveName)), err)
	}
	f.archive, f.generation, f.absorbed = info.Identity, h.Generation, e.TakenUp
	f.applied, f.carried = e.Applied, e.Carried
	access := f.dir.Like(&info, info.Perm, f.Perm)
	f.access = &access
	return e, h, nil
}

// chooseAccess finds out who may read the first archive: those who may read all of
// the files, and the owner of the first of them.
func (f *folding) chooseAccess(names []spool.Name) {
	if f.access != nil {
		return
	}
	var first *mapped.Info
	mode := fs.FileMode(0o777)
	for _, name := range names {
		info, err := f.dir.Stat(name)
		if err != nil || info.CheckRegular() != nil {
			continue
		}
		if first == nil {
			first = &info
		}
		mode &= info.Perm
	}
	if first == nil {
		return
	}
	access := f.dir.Like(first, mode, f.Perm)
	f.access = &access
}

// admit returns an error if the next archive would show the contents of a file to a
// user who cannot read the file.
func (f *folding) admit(info *mapped.Info) error {
	if f.access == nil { // it was not there when that was chosen
		access := f.dir.Like(info, 0o600, nil)
		f.access = &access
	}
	if f.access.Discloses(info) {
		return spool.Defectf(spool.ReasonPermission, "fewer users may read it than the archive, whose permissions are %#o", f.access.Mode)
	}
	return nil
}

// readSegment reads what the writer of a segment leaves.
func (f *folding) readSegment(name spool.Name, file *mapped.File) (e *estate.Estate, h *segment.Header, info mapped.Info, err error) {
	b, err := spool.Begin(file)
	if err == nil {
		err = spool.Fits(name, &b.Header)
	}
	if err != nil {
		return nil, nil, b.Info, err
	}
	err = b.Read(file, f.dir.MaxRead, func(c *spool.Contents) (err error) {
		e, h, err = estate.Read(c, f.clock.On(), f.Expiry)
		return err
	})
	return e, h, b.Info, err
}

// publish puts an archive with what remains in place of the present one, and
// deletes the named files. They are reported by the names in told.
func (f *folding) publish(names, told []spool.Name) error {
	var h segment.Header
	if !f.DryRun {
		var err error
		generation := f.generation
		h, err = f.replaceArchive(names)
		if errors.Is(err, mapped.ErrNoSpace) && f.generation == generation && f.cutHeld() {
			h, err = f.replaceArchive(names)
		}
		if err != nil {
			return err
		}
	}
	if f.verdict == spool.Over {
		f.report.Dropped = append(f.report.Dropped, spool.ArchiveName.String())
	}
	f.verdict = spool.Counts
	for _, name := range told {
		f.report.Absorbed = append(f.report.Absorbed, name.String())
	}
	if f.DryRun {
		for _, name := range names {
			f.report.Freed += f.sizes[name]
		}
		return nil
	}
	return f.finish(&h)
}

// cutHeld gives back the space behind what the held files, which are dead writers',
// have in use, and reports whether there was any.
func (f *folding) cutHeld() (any bool) {
	for _, g := range f.held {
		b, err := spool.Begin(&g.File)
		if end := spool.WholePages(int64(b.Used)); err == nil && end < b.Info.Size && g.Truncate(end) == nil {
			any = true
		}
	}
	return any
}
