package fold

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/estate"
	"telltale/multiprocess/internal/spool"
)

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
			f.leave(w.Name, spool.ReasonEpoch, fmt.Sprintf("it is of epoch %q, and this epoch may not be over: a writer that cannot be read may belong to it", w.Header.Epoch))
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

// absorb absorbs dead writers. Their locks are held until the archive is there: a
// fold that lost its own lock, because that file was deleted, does not see
// them as dead then.
func (f *folding) absorb(ctx context.Context, writers []spool.Seen) error {
	var held []heldWriter
	for _, w := range writers {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		file, err := f.take(w.Name)
		if err := f.unlessLeft(w.Name, err); err != nil {
			return err
		}
		if err == nil {
			held = append(held, heldWriter{w, file})
		}
	}
	f.Step("held")
	tombs, err := f.hear()
	if err != nil {
		return err
	}
	kin, err := f.kin()
	if err != nil {
		return err
	}
	if kin != nil {
		f.remains.End(kin)
	}
	var names []spool.Name
	for _, w := range f.carriable(held) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c, err := f.heardOf(w.Name)
		var e *estate.Estate
		if err == nil {
			e, err = f.read(w)
		}
		if err := f.unlessLeft(w.Name, err); err != nil {
			return err
		}
		if err != nil {
			continue
		}
		e.Bury(tombs.In(w.Header, c.alive))
		e.Local(f.clock.On(), w.Header)
		if !f.isHere(w.Header) {
			e.DropMachine()
		}
		if w.Header.Epoch != f.report.Epoch {
			e.Unname()
		}
		if kin != nil {
			e.End(kin)
		}
		f.remains.Add(e)
		f.start = max(f.start, w.Header.Start)
		names = append(names, w.Name)
	}
	if len(names) == 0 {
		return nil
	}
	f.Step("read")
	return f.publish(names, names)
}

// heldWriter is a dead writer whose lock is held.
type heldWriter struct {
	spool.Seen
	file *mapped.File // nil in a dry run
}

// unlessLeft leaves a writer alone that cannot be absorbed because of err. It returns the
// error if the fold cannot go on with it.
func (f *folding) unlessLeft(name spool.Name, err error) error {
	switch {
	case err == nil:
	case noDescriptors(err):
		return err
	case errors.Is(err, errRevived):
		f.leave(name, spool.ReasonAlive, err.Error())
	default:
		f.leaveUnread(name, err)
	}
	return nil
}

// take takes the lock of a dead writer. In a dry run it does nothing.
func (f *folding) take(name spool.Name) (*mapped.File, error) {
	if f.DryRun {
		return nil, nil
	}
	g, b, err := f.hold(name)
	if err != nil {
		return nil, err
	}
	f.held = append(f.held, g)
	return &g.File, f.admit(&b.Info)
}

// read reads what a dead writer left.
func (f *folding) read(w heldWriter) (e *estate.Estate, err error) {
	file := w.file
	if file == nil {
		if file, err = f.dir.Read(w.Name); err != nil {
			return nil, err
		}
		defer file.Close()
	}
	e, _, info, err := f.readSegment(w.Name, file)
	if err == nil && f.DryRun {
		if err = f.admit(&info); err == nil && info.Links > 1 {
			err = spool.Defectf(spool.ReasonLinked, "it has %d names (hard links)", info.Links)
		}
	}
	if err == nil {
		f.sizes[w.Name] = freedBy(&info)
	}
	return e, err
}

var errRevived = errors.New("a process has locked it")

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
