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

// absorb absorbs dead writers. Their locks are held until the archive is there: a
// fold that lost its own lock, because that file was deleted, does not see
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
