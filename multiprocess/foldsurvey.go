package multiprocess

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
)

// foundWriter is a writer's segment as survey found it.
type foundWriter struct {
	name   string
	header segment.Header
	live   bool
}

// survey finds out which writers there are and which of them are dead. It is not
// sure of the epoch if one may live that cannot be read.
func (f *folding) survey(ctx context.Context, names []string) (found []foundWriter, sure bool, err error) {
	sure = true
	for i, name := range names {
		if i%128 == 0 && ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		if !isWriterName(name) || slices.Contains(f.absorbed, name) {
			continue
		}
		w, err := lookAtWriter(f.dir, name)
		switch {
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
			return nil, false, err
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			sure = sure && !w.live
			f.leaveUnread(name, err)
		case w.live:
			f.leave(name, ReasonAlive, "it is locked by its writer")
			found = append(found, w)
		default:
			found = append(found, w)
		}
	}
	return found, sure, nil
}

// lookAtWriter reads a segment's header. After an error the writer lives, unless
// that is known to be otherwise.
func lookAtWriter(dir, name string) (w foundWriter, err error) {
	w = foundWriter{name: name, live: true}
	path := filepath.Join(dir, name)
	info, err := mapped.Lstat(path)
	if err != nil {
		return w, err
	}
	if err := checkRegular(info); err != nil {
		w.live = false
		return w, err
	}
	file, err := mapped.OpenNoFollow(path)
	if err != nil {
		return w, err
	}
	defer file.Close()
	if w.live, err = file.Locked(); err != nil {
		w.live = true
		return w, err
	}
	if info.Size < segment.HeaderSize {
		return w, defectf(ReasonTruncated, "it has %d bytes, less than a header", info.Size)
	}
	head := make([]byte, segment.HeaderSize)
	if _, err := file.ReadAt(head, 0); err != nil {
		return w, err
	}
	w.header, err = segment.DecodeHeader(head)
	return w, err
}

// chooseEpoch finds the epoch that counts: the one that was asked for, else that
// of the live writer that began last, else of the dead one or the archive.
func (f *folding) chooseEpoch(writers []foundWriter, archive *segment.Header) {
	if f.epoch != nil {
		f.report.Epoch = *f.epoch
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
