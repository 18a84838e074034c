package fold

import (
	"errors"
	"io/fs"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// finish deletes the files that the archive with the header has absorbed, and
// forgets their names once that is on the disk. Those that cannot be deleted keep
// their names there; those that it cannot have absorbed lose them and are left.
func (f *folding) finish(archive *segment.Header) error {
	if len(f.absorbed) == 0 {
		return nil
	}
	var left []spool.Name
	for _, name := range f.absorbed {
		f.Step("unlink")
		keep, err := f.removeAbsorbed(archive, name)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if keep {
			left = append(left, name)
		} else {
			f.forgets = true
		}
		f.leave(name, spool.ReasonDelete, spool.Describe(err))
	}
	f.Step("unlinked")
	if err := f.dir.Sync(); err != nil {
		return err
	}
	f.absorbed = left
	return nil
}

// removeAbsorbed deletes a file that the archive names, if it is certain that its
// numbers are there. After an error it reports whether the archive has to keep the
// name, because they may be.
func (f *folding) removeAbsorbed(archive *segment.Header, name spool.Name) (keep bool, err error) {
	info, err := f.dir.Stat(name)
	if err != nil {
		return true, err
	}
	for _, g := range f.held { // and so checked, and locked
		if g.Identity() == info.Identity && g.Name() == name.String() {
			return true, f.remove(name, info)
		}
	}
	switch name.Kind() {
	case spool.Writer:
		return f.removeTaken(archive, name)
	case spool.Aside:
		if err := info.CheckRegular(); err != nil {
			return true, err
		}
		if f.look().IsAlive(info.Identity) {
			return true, errors.New("the archive has taken it up, and a process writes it")
		}
		return true, f.remove(name, info)
	}
	return false, errors.New("the archive names it as taken up, which it cannot have been under this name")
}

func (f *folding) removeTaken(archive *segment.Header, name spool.Name) (keep bool, err error) {
	g, b, err := f.hold(name)
	switch {
	case errors.Is(err, errRevived) && !b.Signs.Dead:
		err = errors.New("the archive names it as taken up, but its writer lives")
	case err == nil && !spool.Taken(archive, &b.Header, false):
		err = errors.New("the archive names it as taken up, but is older")
	default:
		keep = err == nil || spool.ReasonOf(err) != spool.ReasonCopy
	}
	if g != nil {
		defer g.Close() //nolint:errcheck // nothing depends on it
	}
	if err != nil {
		return keep, err
	}
	return true, f.remove(name, b.Info)
}

// remove deletes a file of the directory that is what the info says.
func (f *folding) remove(name spool.Name, info mapped.Info) error {
	size, known := f.sizes[name]
	if !known {
		size = freedBy(&info)
	}
	err := f.dir.Remove(name, info.Identity)
	if err == nil {
		f.report.Freed += size
	}
	delete(f.sizes, name)
	return err
}

// freedBy returns how many bytes are free again without the file.
func freedBy(info *mapped.Info) int64 { return min(info.Size, info.Allocated) }

// sweepAge is how old a temporary file is that a process which died has left: it is
// locked as soon as it is there.
const sweepAge = time.Minute

// sweep deletes temporary files of processes that died. Nobody depends on it.
func (f *folding) sweep(names []spool.Name) {
	for _, name := range names {
		if name.Kind() != spool.Temporary {
			continue
		}
		info, err := f.dir.Stat(name)
		if err != nil || f.now.Sub(time.Unix(0, info.Modified)) < sweepAge {
			continue
		}
		g, err := f.dir.Write(name)
		if err != nil {
			continue
		}
		if locked, err := g.Lock(); err == nil && locked && g.Identity() == info.Identity {
			f.Step("sweep")
			if f.remove(name, info) == nil {
				f.report.Swept = append(f.report.Swept, name.String())
			}
		}
		_ = g.Close() // nothing was written
	}
}
