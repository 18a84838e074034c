package fold

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// foundWriter is a writer's segment as survey found it.
type foundWriter struct {
	name   spool.Name
	header segment.Header
	live   bool
}

// survey finds out which writers there are and which of them are dead. It is not
// sure of the epoch if one may live that cannot be read.
func (f *folding) survey(ctx context.Context, names []spool.Name) (found []foundWriter, sure bool, err error) {
	sure = true
	absorbed := make(map[spool.Name]bool, len(f.absorbed))
	for _, name := range f.absorbed {
		absorbed[name] = true
	}
	for i, name := range names {
		if i%128 == 0 && ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		if name.Claimed() && strings.HasSuffix(name.String(), spool.SegmentSuffix) {
			f.leave(name, spool.ReasonName, "its name is none that a writer gives")
		}
		if name.Kind() != spool.Writer || absorbed[name] {
			continue
		}
		w, err := f.lookAtWriter(name)
		switch {
		case noDescriptors(err):
			return nil, false, err
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			sure = sure && !w.live
			f.leaveUnread(name, err)
		case w.live:
			f.leave(name, spool.ReasonAlive, "it is locked by its writer")
			found = append(found, w)
		default:
			found = append(found, w)
		}
	}
	return found, sure, nil
}

// lookAtWriter reads a segment's header. After an error the writer lives, unless
// that is known to be otherwise.
func (f *folding) lookAtWriter(name spool.Name) (w foundWriter, err error) {
	w = foundWriter{name: name, live: true}
	file, err := f.dir.Read(name)
	if err != nil {
		w.live = spool.ReasonOf(err) != spool.ReasonNotRegular
		return w, err
	}
	defer file.Close()
	if w.live, err = file.Locked(); err != nil {
		w.live = true
		return w, err
	}
	b, err := spool.Begin(file)
	if err == nil {
		err = spool.Fits(name, &b.Header)
	}
	w.header = b.Header
	return w, err
}

// chooseEpoch finds the epoch that counts: the one that was asked for, else that
// of the live writer that began last, else of the dead one or the archive.
func (f *folding) chooseEpoch(writers []foundWriter, archive *segment.Header) {
	if f.Epoch != nil {
		f.report.Epoch = *f.Epoch
		return
	}
	var newest *segment.Header
	live := false
	for i := range writers {
		w := &writers[i]
		if newest == nil || w.live && !live || w.live == live && w.header.Start > newest.Start {
			newest, live = &w.header, w.live
		}
	}
	if archive != nil && (newest == nil || !live && archive.Start > newest.Start) {
		newest = archive
	}
	if newest != nil {
		f.report.Epoch = newest.Epoch
	}
}
