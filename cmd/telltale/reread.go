package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// reread is a file that is read again when it changes.
type reread struct {
	path string
	read func() error

	looked os.FileInfo // when it was looked at last, nil if it was not there
	used   os.FileInfo // of what was read
}

// rereadInterval is how often files are looked at.
const rereadInterval = time.Second

// rereading reads files again: one that has changed and has stayed as it is for an
// interval, so that half of it is not taken for the whole, and all of them when the
// process gets the signal HUP. It calls tell with an error for each file that cannot be used.
func rereading(ctx context.Context, tell func(error), files ...*reread) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	for _, f := range files {
		f.looked = f.look()
		f.used = f.looked
	}
	go func() {
		defer signal.Stop(hup)
		ticker := time.NewTicker(rereadInterval)
		defer ticker.Stop()
		for {
			var err error
			select {
			case <-ctx.Done():
				return
			case <-hup:
				for _, f := range files {
					if err = f.again(); err != nil {
						tell(&rereadError{err})
					}
				}
			case <-ticker.C:
				for _, f := range files {
					if f.changed() {
						if err = f.again(); err != nil {
							tell(&rereadError{err})
						}
					}
				}
			}
		}
	}()
}

// rereadError is the error of a file that has changed and cannot be used.
type rereadError struct{ error }

func (e *rereadError) Unwrap() error { return e.error }

func (r *reread) look() os.FileInfo {
	info, err := os.Stat(r.path)
	if err != nil {
		return nil
	}
	return info
}

// changed reports whether the file is another one than was read, and not changing any
// more.
func (r *reread) changed() bool {
	was := r.looked
	r.looked = r.look()
	return sameFile(was, r.looked) && !sameFile(r.looked, r.used)
}

func (r *reread) again() error {
	r.looked = r.look()
	r.used = r.looked
	return r.read()
}

// sameFile reports whether a file has not changed.
func sameFile(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
