package multiprocess

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"telltale/internal/forward"
	"telltale/internal/mapped"
	"telltale/multiprocess/internal/spool"
)

// leadInterval is how often a process that waits to lead asks whether it may, on
// average.
const leadInterval = 100 * time.Millisecond

// Leader is held by the one process that sends the metrics of a directory, where nobody
// scrapes them. It holds a lock until [Leader.Close] or the end of its process, in
// whatever way that comes; then another process may lead. Whoever leads sends the same
// series as those before: totals of the directory, under the identity that was made
// with it, with times that only go forward. All methods are safe for concurrent use.
type Leader struct {
	path string
	dir  *spool.Dir
	seat seat // as it was found

	mu    sync.Mutex
	lock  *mapped.Growing // the file send.lock; nil when closed
	clock forward.Clock
}

// Lead waits until this process is the one that sends the metrics of dir, and returns
// the function that gives this up. No other process leads before release is called or
// this process ends, in whatever way. It returns an error as [NewLeader] does.
func Lead(ctx context.Context, dir string) (release func(), err error) {
	l, err := NewLeader(ctx, dir)
	if err != nil {
		return nil, err
	}
	return l.Close, nil
}

// NewLeader waits until this process is the one that sends the metrics of dir, or, if
// dir is empty, of the directory that the environment variable PROMETHEUS_MULTIPROC_DIR
// names. It returns the error of ctx if that is done before; and an error if the
// directory is not there or is on a file system of another machine or of the host, if
// this process may not write to it, or if the file send.lock there, which has the
// directory's identity, is damaged.
func NewLeader(ctx context.Context, dir string) (*Leader, error) {
	dir, err := resolveDirectory(dir)
	if err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l, err := tryToLead(dir)
		if err != nil {
			return nil, fmt.Errorf("multiprocess: this process cannot send the metrics of %s: %w", spool.Quote(dir), err)
		}
		if l != nil {
			return l, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(leadInterval/2 + mathrand.N(leadInterval)):
		}
	}
}

// tryToLead returns nil where another process leads.
func tryToLead(path string) (l *Leader, err error) {
	if !mapped.GrowingSupported {
		return nil, errors.ErrUnsupported
	}
	dir, err := spool.Open(path, nil)
	if err != nil {
		return nil, err
	}
	defer func() {
		if l == nil {
			dir.Close()
		}
	}()
	system, err := dir.FileSystem()
	if err != nil {
		return nil, err
	}
	if system.Remote {
		return nil, fmt.Errorf("it is on %s, where another process elsewhere may send them too", system.Name)
	}
	lock, err := dir.LockSends()
	if err != nil {
		return nil, fmt.Errorf("the file %s: %w", spool.SendLockName, err)
	}
	if lock == nil {
		return nil, nil
	}
	seat, err := takeSeat(dir, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &Leader{path: path, dir: dir, lock: lock, seat: seat, clock: forward.After(seat.newest)}, nil
}

// takeSeat reads what the lock, which this process holds, has to say; it makes the
// directory's identity if there is none, or if the file is the copy of another
// directory's.
func takeSeat(dir *spool.Dir, lock *mapped.Growing) (seat, error) {
	of, err := dir.Info()
	if err != nil {
		return seat{}, err
	}
	inode := of.Identity.Inode()
	place := placeOf(inode, dir.Born())
	info, err := lock.Stat()
	if err != nil {
		return seat{}, err
	}
	if info.Size > 0 {
		s, err := readSeat(lock, info.Size)
		if err != nil {
			return seat{}, fmt.Errorf("%s is damaged: %w; if it is deleted they are sent as new series, under another identity", spool.Quote(dir.PathOf(spool.SendLockName)), err)
		}
		if s.of == place || s.of == inode { // an inode alone is of an earlier version
			s.of = place
			return s, nil
		}
	}
	s := seat{of: place}
	_, _ = rand.Read(s.identity[:]) // never fails
	if _, err := lock.WriteAt([]byte(s.String()), 0); err != nil {
		return seat{}, errors.Join(err, lock.Truncate(0))
	}
	return s, errors.Join(lock.Sync(), dir.Sync())
}

// Identity returns the identity of the directory: 32 hexadecimal digits, which are
// random and made once, when it is first sent. It tells the series of the directory from
// those of others: give it to them as a label, such as instance. A copy of the directory
// gets another one.
func (l *Leader) Identity() string { return hex.EncodeToString(l.seat.identity[:]) }

// Last returns the time that Next has given last, to this process or to one that led
// before; the zero Time if there was none.
func (l *Leader) Last() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clock.Last()
}

// Next returns a time for samples, in whole milliseconds: that of the machine's clock,
// or a later one, so that it is after all that were given before, to the processes that
// led before too. It is meant for the option WithClock of packages remotewrite and
// otlp. Where the machine's clock was set back, times go at half of its speed until it
// has caught up; they begin anew where it was set back by more than ten minutes. After
// an error, which may be that of [Leader.Err], nothing is to be sent.
func (l *Leader) Next() (time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.leads(); err != nil {
		return time.Time{}, err
	}
	t := l.clock.Next()
	// The whole seat is written before anything is sent, in case that somebody has emptied
	// the file. Where a disk is so full that bytes cannot even be overwritten, the time is
	// missed only if this process is killed and the machine's clock set back.
	now := l.seat
	now.newest = t
	_, err := l.lock.WriteAt([]byte(now.String()), 0)
	if err != nil && !errors.Is(err, mapped.ErrNoSpace) {
		return time.Time{}, fmt.Errorf("multiprocess: %w", err)
	}
	return t, nil
}

// Err returns nil as long as this process leads. Then it returns an error, and this
// process must send no more: the leader was closed, or the directory or its file send.lock
// was deleted or replaced.
func (l *Leader) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leads()
}

// leads returns an error unless the lock is where others look for it.
func (l *Leader) leads() error {
	err := l.holds()
	if err != nil {
		return fmt.Errorf("multiprocess: this process sends the metrics of %s no longer: %w", spool.Quote(l.path), err)
	}
	return nil
}

func (l *Leader) holds() error {
	if l.lock == nil {
		return fs.ErrClosed
	}
	same, err := l.dir.Same()
	if err == nil && !same {
		err = errors.New("another directory has taken its place")
	}
	if err != nil {
		return err
	}
	info, err := l.dir.Stat(spool.SendLockName)
	if err == nil && info.Identity != l.lock.Identity() {
		err = fmt.Errorf("another file has taken the place of %s", spool.SendLockName)
	}
	return err
}

// Close lets another process lead. Closing twice does nothing more.
func (l *Leader) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lock != nil {
		_ = l.lock.Close() // nothing that was written waits for it
		l.lock = nil
		l.dir.Close()
	}
}
