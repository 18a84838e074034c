package multiprocess

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"telltale/internal/cell"
	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Store keeps the cells of one process's instruments in a segment, a file that
// other processes read: give it to telltale.WithStore, or to a registry's
// UseStore. Counting takes no lock and no system call, and what was counted is
// there for others at once and stays when the process is killed.
//
// The file grows as series are made and never shrinks. When the disk is full
// later series live on the heap, where only this process sees them: that is told
// to the error hook once and counted in [Store.Stats]. When somebody deletes the
// file, or its directory, this process goes on with what it has, and others do
// not see it: the error hook is told that too. A new segment needs a new process.
//
// Removing series looks for what dead processes left of them, in every segment
// that is not held and in the archive: it costs some microseconds a file, and as
// much for many series as for one if they are removed by one call.
//
// All methods are safe for concurrent use.
type Store struct {
	settings  storeSettings
	dir       *spool.Dir
	name      spool.Name
	system    mapped.FileSystem
	file      *mapped.Growing
	segment   *segment.Writer
	collector *Collector

	mu           sync.Mutex
	heap         *segment.Writer // nil until the file cannot grow
	spilled      int             // series in it
	full         bool            // has been told
	families     []*rows
	publications []*publication

	misplaced bool // the segment, which has been told; of whoever refreshes

	closing sync.Once
	stop    chan struct{}
	stopped chan struct{}
}

// Open makes a segment for this process in dir and begins to keep it. If dir is
// empty, the environment variable PROMETHEUS_MULTIPROC_DIR names it. It is made
// if it is not there. All processes of a service open the same directory; it
// should be on a tmpfs, because file systems on disks make a process wait now and
// then for a page that is being written back.
//
// It is an error if the system has no shared mappings or no file locks that are
// known to work, if the file system is a remote one (see [WithRemoteFileSystem])
// or one where locks do not exclude each other, or if the segment cannot be made.
//
// The process keeps the segment, and so is alive to others, until it ends;
// [Store.Close] is for a good end but not needed for a truthful one.
func Open(dir string, opts ...StoreOption) (*Store, error) {
	dir, err := directoryFor(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{settings: newStoreSettings(opts), stop: make(chan struct{}), stopped: make(chan struct{})}
	if s.dir, err = spool.Open(dir, s.settings.files); err != nil {
		return nil, fmt.Errorf("multiprocess: %w", err)
	}
	if err := s.check(); err != nil {
		s.dir.Close()
		return nil, fmt.Errorf("multiprocess: %s: %w", dir, err)
	}
	if err := s.create(); err != nil {
		s.dir.Close()
		return nil, fmt.Errorf("multiprocess: %w", err)
	}
	s.collector = newCollector(dir, s.settings.settings, s.own)
	s.foldMany()
	go s.keep()
	return s, nil
}

// directoryFor finds the directory and makes it if it is not there.
func directoryFor(dir string) (string, error) {
	found, err := resolveDirectory(dir)
	if err != nil && found != "" && errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(found, 0o700); err != nil {
			err = fmt.Errorf("multiprocess: %w", err)
		}
	}
	if err != nil {
		return "", err
	}
	return filepath.Abs(found)
}

// check refuses systems and directories on which others could not rely on what
// this process says.
func (s *Store) check() error {
	switch {
	case !lockFree:
		return errors.New("this processor has no atomic operations on 64 bits that work between processes")
	case !mapped.GrowingSupported:
		return errors.New("this system has no shared mappings and file locks that segments could rely on; collecting what others write works")
	}
	var err error
	if s.system, err = s.dir.FileSystem(); err != nil {
		return err
	}
	if s.system.Remote && !s.settings.remote {
		return fmt.Errorf("it is on %s, where mappings and locks are not shared reliably; use a local directory, best of all on a tmpfs", s.system.Name)
	}
	if !s.system.Proven {
		s.settings.tell(fmt.Errorf("multiprocess: %s is on %s, of which it is not known whether space that was reserved is there when it is written to: a full disk might end the process", s.dir.Path(), s.system.Name))
	}
	return nil
}

// create makes the segment under another name, locks it, then shows it.
func (s *Store) create() error {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	s.name = spool.WriterName(id)
	hidden := spool.TemporaryName("writer", id)
	access, err := s.dir.Access(s.settings.perm)
	if err != nil {
		return err
	}
	file, err := s.dir.Create(hidden, access)
	if err != nil {
		return err
	}
	if err := s.layOut(file, hidden, id); err != nil {
		file.Unmap()
		return errors.Join(err, file.Close(), s.dir.Remove(hidden, file.Identity()))
	}
	return nil
}

func (s *Store) layOut(file *mapped.Growing, hidden spool.Name, id [16]byte) error {
	locked, err := file.Lock()
	if err != nil {
		return err
	}
	works, err := s.dir.LocksWork(hidden, file.Identity())
	if err != nil {
		return err
	}
	if !locked || !works {
		return fmt.Errorf("%s: locks on %s do not exclude each other", s.dir.Path(), s.system.Name)
	}
	h := identity()
	h.Kind, h.ID, h.Start = segment.KindWriter, id, time.Now().UnixNano()
	h.Epoch, h.Writer = s.settings.epochName(), s.settings.writer
	w, err := segment.NewWriter(&fileMemory{file: file}, firstExtent(), h)
	if err != nil {
		return err
	}
	w.Beat(time.Now())
	if err := s.dir.Show(file, s.name, mapped.Identity{}); err != nil {
		return err
	}
	s.file, s.segment = file, w
	return nil
}

// firstExtent is how large a segment is at first: small, for jobs that live for
// 50 ms.
func firstExtent() int { return max(16<<10, os.Getpagesize()) }

// fileMemory is a segment's memory in a file.
type fileMemory struct {
	file *mapped.Growing
	// The last failure to grow, by how much, and when.
	last error
	by   int
	when time.Time
}

// retryGrowth is how long a file that could not grow by so much is left alone.
const retryGrowth = time.Second

// Extend implements [segment.Memory].
func (m *fileMemory) Extend(offset uint64, n int) ([]byte, error) {
	if m.last != nil && n >= m.by && time.Since(m.when) < retryGrowth {
		return nil, m.last
	}
	b, err := m.file.Extend(int64(offset), n)
	if err != nil {
		m.last, m.by, m.when = err, n, time.Now()
	}
	return b, err
}

// heapMemory is a segment's memory on the heap, for what does not fit the file.
type heapMemory struct{}

// Extend implements [segment.Memory].
func (heapMemory) Extend(_ uint64, n int) ([]byte, error) {
	return bytesOf(make([]uint64, n/8)), nil
}

// hostName returns the name of the host or container, cut off where a header has
// no more room.
func hostName() string {
	name, _ := os.Hostname()
	return name[:min(len(name), segment.MaxName)]
}

// own returns this process's segments for its collector.
func (s *Store) own() []ownSegment {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := []ownSegment{{name: s.name, space: s.segment}}
	if s.heap != nil {
		own = append(own, ownSegment{space: s.heap})
	}
	return own
}

// overflow returns the segment for what does not fit the file, because of err.
func (s *Store) overflow(err error) (*segment.Writer, error) {
	s.mu.Lock()
	if s.heap == nil {
		h := identity()
		h.Kind, h.Start, h.Epoch, h.Writer = segment.KindWriter, time.Now().UnixNano(), s.settings.epochName(), s.settings.writer
		heap, err := segment.NewWriter(heapMemory{}, firstExtent(), h)
		if err != nil {
			s.mu.Unlock()
			return nil, err
		}
		s.heap = heap
	}
	heap, told := s.heap, s.full
	s.spilled++
	s.full = true
	s.mu.Unlock()
	s.segment.CountSpilled(1)
	if !told {
		go s.settings.tell(fmt.Errorf("multiprocess: new series live on the heap, where other processes do not see them: %w", err))
	}
	return heap, nil
}

// foldMany has many dead writers folded. Few are left to those who collect.
func (s *Store) foldMany() {
	if folder := s.collector.folder; folder != nil {
		folder.begun(s.countDead())
	}
}

// keep lets time pass for the store until it is closed.
func (s *Store) keep() {
	defer close(s.stopped)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	next := time.Now() // at the first tick, for those who ask early
	fold := next.Add(foldInterval)
	for {
		select {
		case <-s.stop:
			return
		case now := <-tick.C:
			s.tick()
			if now.After(fold) {
				fold = now.Add(foldInterval)
				s.foldMany()
			}
			if now.Before(next) {
				continue
			}
			next = now.Add(s.settings.interval)
			s.refresh()
		}
	}
}

func (s *Store) tick() {
	s.mu.Lock()
	heap := s.heap
	s.mu.Unlock()
	s.segment.Tick()
	if heap != nil {
		heap.Tick()
	}
}

// refresh publishes what custom collectors emit.
func (s *Store) refresh() {
	s.mu.Lock()
	publications := s.publications
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), s.settings.interval)
	defer cancel()
	for _, p := range publications {
		p.refresh(ctx)
	}
	s.segment.Beat(time.Now())
	s.checkPlace()
}

// checkPlace tells once if somebody has deleted the segment, or moved it away. It
// tells nothing where that cannot be found out.
func (s *Store) checkPlace() {
	info, err := s.dir.Stat(s.name)
	same := false
	if err == nil {
		same, err = s.dir.Same()
	}
	switch {
	case err != nil && !vanished(err):
		return
	case err != nil:
	case !same:
		err = fmt.Errorf("%s is another directory now", s.dir.Path())
	case info.Identity != s.file.Identity():
		err = fmt.Errorf("%s is another file now", s)
	}
	if err != nil && !s.misplaced {
		s.misplaced = true
		go s.settings.tell(fmt.Errorf("multiprocess: this process's segment is gone, and others do not see what it counts: %w", err))
	}
}

// Close publishes what custom collectors emit for the last time and ends what
// the store does by itself. Instruments count on, and what they count is not
// lost: the segment stays as it is, and its writer alive, until the process ends.
// Closing twice does nothing more. An error is that of the fold that
// [WithFoldAtClose] asks for.
func (s *Store) Close() (err error) {
	s.closing.Do(func() {
		close(s.stop)
		<-s.stopped
		s.refresh()
		s.segment.MarkClosed()
		if folder := s.collector.folder; folder != nil {
			folder.close()
		}
		if s.settings.foldAtClose {
			_, err = Fold(context.Background(), s.dir.Path(), s.settings.fold...)
		}
	})
	return err
}

// Directory returns the directory in which the store's segment is.
func (s *Store) Directory() string { return s.dir.Path() }

// Merged returns the collector of what all processes have, for the registries
// that use the store.
func (s *Store) Merged() cell.MergedCollector { return s.collector }

// Stats returns how the last collection found the directory, and how many series
// of this store did not fit its segment.
func (s *Store) Stats() Stats {
	stats := s.collector.Stats()
	s.mu.Lock()
	defer s.mu.Unlock()
	stats.Spilled = s.spilled
	return stats
}

// String returns the path of the store's segment.
func (s *Store) String() string { return s.dir.PathOf(s.name) }
