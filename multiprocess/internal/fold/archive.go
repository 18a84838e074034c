package fold

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"

	"telltale/internal/mapped"
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
	list := slices.Concat(f.absorbed, names)
	used, err := f.fill(g, h, list)
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
	return h, f.dir.Sync()
}

// fill writes an archive and checks that all of it is there.
func (f *folding) fill(g *mapped.Growing, h segment.Header, absorbed []spool.Name) (used uint64, err error) {
	w, err := segment.NewWriter(spool.MemoryOf(g), spool.FirstExtent(), h)
	if err != nil {
		return 0, err
	}
	if err := w.Take(spool.Take(absorbed)); err != nil {
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

// undisturbed returns an error if somebody has replaced or deleted the lock that a
// fold relies on.
func (f *folding) undisturbed() error {
	info, err := f.dir.Stat(spool.FoldLockName)
	if err == nil && info.Identity != f.lock.Identity() {
		err = errors.New("it is another file now")
	}
	if err != nil {
		return fmt.Errorf("somebody meddled with %s, so that another fold may be under way: %w", spool.FoldLockName, err)
	}
	return nil
}
