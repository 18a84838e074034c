package fold

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/estate"
	"telltale/multiprocess/internal/python"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
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
	dir *spool.Dir
	Settings
	report *Report
	now    time.Time
	lock   *mapped.Growing
	census *python.Census // once it is needed

	remains    *estate.Remains
	start      int64 // when the newest of the writers that were absorbed began
	generation uint64
	archive    mapped.Identity            // of the file archive.seg; zero if there is none
	verdict    spool.Verdict              // on the archive
	first      segment.Moment             // when the epoch first appeared
	service    string                     // whose directory it is
	isHere     func(*segment.Header) bool // see [spool.Survey.IsHere]
	newest     segment.Header             // of the newest writer
	absorbed   []spool.Name               // files that the archive has
	access     *spool.Access              // of the next archive; nil until a file is known whose numbers it has
	held       []*mapped.Growing
	sizes      map[spool.Name]int64
}

func (f *folding) run(ctx context.Context) error {
	f.sizes = make(map[spool.Name]int64)
	system, err := f.dir.FileSystem()
	if err != nil {
		return err
	}
	if system.Remote && !f.Remote {
		return fmt.Errorf("it is on %s, where a writer that lives elsewhere may count as dead", system.Name)
	}
	if !f.DryRun {
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
	names, err := f.dir.List()
	if err != nil {
		return err
	}
	if !f.DryRun {
		if err := f.finish(h); err != nil {
			return err
		}
		f.sweep(names)
	}
	s, err := f.survey(ctx, names, h)
	if err != nil {
		return err
	}
	if err := f.begunWith(s, e, h); err != nil {
		return err
	}
	if err := f.foldWriters(ctx, s); err != nil {
		return err
	}
	if f.Python && f.verdict != spool.Superseded {
		return f.foldPython(ctx, names)
	}
	return nil
}

// begin takes the lock that lets one fold run at a time.
func (f *folding) begin() (locked bool, err error) {
	f.lock, err = f.dir.LockFolds()
	if f.lock == nil {
		return false, err
	}
	f.Step("locked")
	return true, nil
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
	access := f.dir.Like(&info, info.Perm, f.Perm)
	f.access = &access
	return e, h, nil
}

// chooseAccess finds out who may read the first archive: whoever may read all of
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

// admit returns an error if the next archive would show what a file has to somebody
// who cannot read the file.
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
	region, err := b.Map(file, b.Used)
	if err != nil {
		return nil, nil, b.Info, err
	}
	defer region.Unmap()
	fault := region.Guard(func() { e, h, err = estate.Read(segment.Image(region.Bytes()), f.now, f.Expiry) })
	return e, h, b.Info, errors.Join(fault, err)
}

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

// leave reports a file that is left alone.
func (f *folding) leave(name spool.Name, reason spool.Reason, why string) {
	f.report.Left = append(f.report.Left, leftFile{name.String(), reason, why})
}

// leaveUnread reports a file that cannot be read.
func (f *folding) leaveUnread(name spool.Name, err error) {
	f.leave(name, spool.ReasonOf(err), spool.Describe(err))
}

// sweepAge is how old a temporary file is that somebody who died has left: it is
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

// foldWriters drops what dead writers of an epoch that is over left, and absorbs what
// others did, if that has a place. Dropping comes first: it makes room.
func (f *folding) foldWriters(ctx context.Context, s *surveyed) error {
	for _, w := range s.dead(spool.Over) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if s.sure {
			f.drop(w)
		} else {
			f.leave(w.Name, spool.ReasonEpoch, fmt.Sprintf("it is of epoch %q, and it is not sure that it is over: a writer that cannot be read may be of it", w.Header.Epoch))
		}
	}
	for _, w := range s.dead(spool.Superseded) {
		f.leave(w.Name, spool.ReasonEpoch, fmt.Sprintf("it is of epoch %q, which is not over", w.Header.Epoch))
	}
	dead := slices.Concat(s.dead(spool.Counts), s.dead(spool.Unnamed))
	if f.verdict == spool.Superseded {
		for _, w := range dead {
			f.leave(w.Name, spool.ReasonEpoch, fmt.Sprintf("%s is of epoch %q, which is not over; a fold that is given the epoch %q drops it", spool.ArchiveName, s.seen[0].Header.Epoch, f.report.Epoch))
		}
		return nil
	}
	names := make([]spool.Name, len(dead))
	for i := range dead {
		names[i] = dead[i].Name
	}
	f.chooseAccess(names)
	return f.inBatches(len(dead), func(from, n int) error { return f.absorb(ctx, dead[from:from+n]) })
}

// drop deletes the segment of a dead writer of another epoch.
func (f *folding) drop(w spool.Seen) {
	if !f.DryRun {
		f.Step("drop")
		g, b, err := f.hold(w.Name)
		if err == nil {
			err = errors.Join(f.remove(w.Name, b.Info), g.Close())
		}
		if err != nil {
			f.leave(w.Name, spool.ReasonDelete, fmt.Sprintf("it is of epoch %q, which is over, and cannot be deleted: %s", w.Header.Epoch, spool.Describe(err)))
			return
		}
	}
	f.report.Dropped = append(f.report.Dropped, w.Name.String())
}

// inBatches absorbs n files in batches that the limits of the process allow, and
// smaller ones where there are too few descriptors, or too little space for what
// they add to the archive while they are there themselves. A batch that has been
// published is not tried again, whatever failed behind that: it would count twice.
func (f *folding) inBatches(n int, absorb func(from, n int) error) error {
	batch := f.dir.Budget()
	for from := 0; from < n; {
		size := min(batch, n-from)
		reported, generation := len(f.report.Left), f.generation
		err := absorb(from, size)
		f.release()
		switch {
		case err == nil:
			from += size
		case size > 1 && f.generation == generation && (noDescriptors(err) || errors.Is(err, mapped.ErrNoSpace)):
			batch = size / 2
			f.report.Left = f.report.Left[:reported]
			if err := f.again(); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return nil
}

// noDescriptors reports whether the process or the system has no descriptor left.
func noDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// again makes what remains that of the present archive, after a batch that failed
// was added to it.
func (f *folding) again() error {
	f.remains, f.start = estate.NewRemains(), 0
	access, absorbed := f.access, f.absorbed
	e, h, err := f.readArchive()
	if err != nil {
		return err
	}
	f.access, f.absorbed = access, absorbed
	f.inherit(e, h)
	return nil
}

// release lets go of the files that are held.
func (f *folding) release() {
	for _, g := range f.held {
		_ = g.Close() // nothing depends on it
	}
	f.held = nil
}

// absorb absorbs dead writers. Their locks are held until the archive is there: a
// fold that lost its own lock, because somebody deleted that file, does not see
// them as dead then.
func (f *folding) absorb(ctx context.Context, writers []spool.Seen) error {
	var names []spool.Name
	for _, w := range writers {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e, err := f.take(w.Name)
		switch {
		case noDescriptors(err):
			return err
		case errors.Is(err, errRevived):
			f.leave(w.Name, spool.ReasonAlive, err.Error())
			continue
		case err != nil:
			f.leaveUnread(w.Name, err)
			continue
		}
		e.Local(spool.Now(), w.Header)
		if !f.isHere(w.Header) {
			e.DropMachine()
		}
		if w.Header.Epoch != f.report.Epoch {
			e.Unname()
		}
		f.remains.Add(e)
		f.start = max(f.start, w.Header.Start)
		names = append(names, w.Name)
	}
	f.Step("held")
	return f.publish(names, names)
}

// take takes the lock of a dead writer and reads what it left. In a dry run it does
// not lock.
func (f *folding) take(name spool.Name) (e *estate.Estate, err error) {
	var file *mapped.File
	if f.DryRun {
		if file, err = f.dir.Read(name); err != nil {
			return nil, err
		}
		defer file.Close()
	} else {
		g, b, err := f.hold(name)
		if err != nil {
			return nil, err
		}
		f.held = append(f.held, g)
		if err := f.admit(&b.Info); err != nil {
			return nil, err
		}
		file = &g.File
	}
	e, _, info, err := f.readSegment(name, file)
	if err == nil && f.DryRun {
		if err = f.admit(&info); err == nil && info.Links > 1 {
			err = spool.Defectf(spool.ReasonLinked, "it has %d names (hard links)", info.Links)
		}
	}
	if err == nil {
		f.sizes[name] = freedBy(&info)
	}
	return e, err
}

var errRevived = errors.New("somebody has locked it")

// hold takes the lock of a dead writer's segment. Readers see that lock and must not
// take it for the writer's, so the header says first that the writer is dead. After
// errRevived the beginning is known.
func (f *folding) hold(name spool.Name) (g *mapped.Growing, b spool.Beginning, err error) {
	g, err = f.dir.Write(name)
	if err != nil {
		return nil, b, err
	}
	defer func() {
		if err != nil {
			_ = g.Close() // nothing depends on it
			g = nil
		}
	}()
	if b, err = spool.Begin(&g.File); err == nil {
		err = spool.Fits(name, &b.Header)
	}
	if err != nil {
		return g, b, err
	}
	locked, err := g.Locked()
	switch {
	case err != nil:
		return g, b, err
	case locked:
		return g, b, errRevived
	case !b.Signs.Dead:
		if err := spool.Mark(g); err != nil {
			return g, b, fmt.Errorf("it cannot be marked as dead: %w", err)
		}
	}
	if locked, err = g.Lock(); err == nil && !locked {
		err = errRevived
	}
	return g, b, err
}

// publish puts an archive with what remains in place of the present one, and
// deletes the named files. They are reported by the names in told.
func (f *folding) publish(names, told []spool.Name) error {
	if len(names) == 0 {
		return nil
	}
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

// look returns what the list of processes shows, which it reads once.
func (f *folding) look() *python.Census {
	if f.census == nil {
		f.census = f.Processes.Census()
	}
	return f.census
}
