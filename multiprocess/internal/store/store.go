package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"telltale/internal/mapped"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Settings are the options of a store.
type Settings struct {
	Tell     func(error)   // what is wrong; called by goroutines of the store's own, or by Open
	Epoch    string        // of the segment
	Writer   string        // its configured name
	Service  string        // whose directory it is; empty if nobody said
	Perm     *fs.FileMode  // nil: as the directory's are
	Interval time.Duration // between publications
	MaxRead  spool.ReadLimit
	Remote   bool           // the directory may be on another machine's file system
	Files    mapped.Hook    // passed by all operations on files; nil but in tests
	Apart    func(func())   // runs a change at a time when nobody reads values
	Crowded  func(dead int) // told of dead writers now and then, where there may be many; nil if nobody asks
	Removed  func()         // told when so much was removed that a fold is worth it; likewise
}

// Store keeps the cells of one process's instruments in a segment: a file that others
// read, and the heap for what does not fit it. Methods are safe for concurrent use.
type Store struct {
	settings Settings
	dir      *spool.Dir
	name     spool.Name
	system   mapped.FileSystem
	first    segment.Moment // when the epoch first appeared in the directory
	ended    int            // writers' segments that nobody wrote to when the store was opened
	file     *mapped.Growing
	segment  *segment.Writer

	mu           sync.Mutex
	heap         *segment.Writer // nil until the file cannot grow
	spilled      int             // series in it
	full         bool            // the error hook was told that there is no room
	families     []*rows
	publications []*publication
	tombs        tombs
	parking      parking

	misplaced bool // the error hook was told that the segment has lost its place; written by refreshes alone

	running context.Context //nolint:containedctx // of what the store does by itself
	end     func()          // of that
	working sync.WaitGroup  // likewise
}

// Open makes a segment for this process in the directory at the path, which has
// to be there. The store does nothing by itself before Start.
func Open(path string, settings Settings) (*Store, error) {
	s := &Store{settings: settings}
	s.running, s.end = context.WithCancel(context.Background())
	var err error
	if s.dir, err = spool.Open(path, s.settings.Files); err != nil {
		return nil, fmt.Errorf("multiprocess: %w", err)
	}
	s.dir.MaxRead = settings.MaxRead
	if err := s.check(); err != nil {
		s.dir.Close()
		return nil, fmt.Errorf("multiprocess: %s: %w", path, err)
	}
	if err := s.create(); err != nil {
		s.dir.Close()
		return nil, fmt.Errorf("multiprocess: %w", err)
	}
	return s, nil
}

// FileSystem returns the file system of the directory.
func (s *Store) FileSystem() (mapped.FileSystem, error) { return s.dir.FileSystem() }

// Directory returns the directory in which the store's segment is.
func (s *Store) Directory() string { return s.dir.Path() }

// SpilledSeries returns how many series did not fit the segment.
func (s *Store) SpilledSeries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spilled
}

// lastPublication is how long the last publication may take: a collector in it may wait
// for the store to be closed, through the error hook of its registry.
const lastPublication = 5 * time.Second

// Close ends what the store does by itself, publishes what custom collectors emit for the
// last time, and says in the segment that it ended in good order. It is called once.
func (s *Store) Close() {
	s.end()
	s.working.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), min(s.settings.Interval, lastPublication))
	defer cancel()
	s.refresh(ctx)
	s.segment.Alive(spool.MonotonicAtLeast())
	s.segment.MarkClosed()
}

// String returns the path of the store's segment.
func (s *Store) String() string { return s.dir.PathOf(s.name) }

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
	if s.system.Remote && !s.settings.Remote {
		return fmt.Errorf("it is on %s, where mappings and locks are not shared reliably; use a local directory, best of all on a tmpfs", s.system.Name)
	}
	if !s.system.Proven {
		s.settings.Tell(fmt.Errorf("multiprocess: %s is on %s, of which it is not known whether space that was reserved is there when it is written to: a full disk might end the process", s.dir.Path(), s.system.Name))
	}
	return nil
}

// create makes the segment under another name, locks it, then shows it.
func (s *Store) create() error {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	s.name = spool.WriterName(id)
	hidden := spool.TemporaryName("writer", id)
	access, err := s.dir.Access(s.settings.Perm)
	if err != nil {
		return err
	}
	file, err := s.dir.Create(hidden, access)
	if err != nil {
		return err
	}
	at := hidden
	if err = s.layOut(file, hidden, id); err == nil {
		at, err = s.name, s.giveWay()
	}
	if err != nil {
		file.Unmap()
		return errors.Join(err, s.dir.Remove(at, file.Identity()), file.Close())
	}
	return nil
}

// patience is how long a store waits for one of another service that was opened at the
// same instant to give way.
const patience = time.Second

// giveWay returns an error if a store of another service has been opened since this one
// found none. Each looks once it can be seen, so that at least one of two sees the other.
// Of those that see each other the one whose segment has the later name gives way.
func (s *Store) giveWay() error {
	if s.settings.Service == "" {
		return nil
	}
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		survey, err := s.dir.Survey(&s.settings.Epoch, s.settings.Service, s.name, spool.Now())
		if err == nil {
			err = survey.CheckService(s.settings.Service)
		}
		if err == nil {
			return nil
		}
		err = fmt.Errorf("%s: %w", s.dir.Path(), err)
		if survey == nil || time.Since(began) > patience {
			return err
		}
		if other := survey.Stranger(s.settings.Service); !other.Live || other.Name.String() < s.name.String() {
			return err
		}
	}
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
	h, err := s.headerOf(id)
	if err != nil {
		return err
	}
	w, err := segment.NewWriter(spool.MemoryOf(file), spool.FirstExtent(), h)
	if err != nil {
		return err
	}
	w.Beat(time.Now())
	w.Alive(spool.MonotonicAtLeast())
	if err := s.dir.Show(file, s.name, mapped.Identity{}); err != nil {
		return err
	}
	s.file, s.segment = file, w
	return nil
}

// headerOf returns the header of the segment with the ID. If the directory has the epoch
// already, the header says when that appeared first. It is an error if the directory is
// another service's.
func (s *Store) headerOf(id [16]byte) (segment.Header, error) {
	clock := spool.Now()
	survey, err := s.dir.Survey(&s.settings.Epoch, s.settings.Service, s.name, clock)
	if err == nil {
		err = survey.CheckService(s.settings.Service)
	}
	if err != nil {
		return segment.Header{}, fmt.Errorf("%s: %w", s.dir.Path(), err)
	}
	s.first, s.ended = survey.First, survey.Ended()
	return s.header(id, clock), nil
}

// header returns the header of a segment that is made now.
func (s *Store) header(id [16]byte, clock spool.Clock) segment.Header {
	h := identity()
	h.Kind, h.ID, h.Start, h.Born, h.Ahead = segment.KindWriter, id, clock.Wall, clock.Monotonic, spool.Ahead()
	h.Epoch, h.EpochFirst, h.Writer, h.Service = s.settings.Epoch, s.first, s.settings.Writer, s.settings.Service
	return h
}

// heapMemory is a segment's memory on the heap, for what does not fit the file.
type heapMemory struct{}

// Extend implements [segment.Memory].
func (heapMemory) Extend(_ uint64, n int) ([]byte, error) {
	return mapped.Aligned(n), nil
}

// hostName returns the name of the host or container, cut off where a header has
// no more room.
func hostName() string {
	name, _ := os.Hostname()
	return name[:min(len(name), segment.MaxName)]
}

// Own returns this process's segments for its collector.
func (s *Store) Own() []spool.Own {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := []spool.Own{{Name: s.name, Space: s.segment}}
	if s.heap != nil {
		own = append(own, spool.Own{Space: s.heap})
	}
	return own
}

// overflow returns the segment on the heap, for a series that does not fit the file because
// of err, and counts the series as spilled.
func (s *Store) overflow(err error) (*segment.Writer, error) {
	s.mu.Lock()
	if s.heap == nil {
		heap, err := segment.NewWriter(heapMemory{}, spool.FirstExtent(), s.header([16]byte{}, spool.Now()))
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
		go s.settings.Tell(fmt.Errorf("multiprocess: new series live on the heap, where other processes do not see them: %w", err))
	}
	return heap, nil
}

// Start begins what the store does by itself: noting that its process lives, and publishing.
// The one does not wait for the other, since collectors and other people's files may take
// long.
func (s *Store) Start() {
	if s.settings.Crowded != nil {
		s.settings.Crowded(s.ended)
	}
	s.working.Go(func() {
		s.eachSecond(func(time.Time) {
			s.Tick()
			s.working.Go(s.settleParked)
		})
	})
	s.working.Go(func() { s.eachSecond(s.publisher()) })
}

// eachSecond calls do each second until the store is closed.
func (s *Store) eachSecond(do func(now time.Time)) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-s.running.Done():
			return
		case now := <-second.C:
			do(now)
		}
	}
}

// publisher returns what publishes, and counts dead writers, if it is time for that.
func (s *Store) publisher() func(now time.Time) {
	next := time.Now() // at the first second, for those who ask early
	count := next.Add(leastCounting)
	return func(now time.Time) {
		if now.After(count) {
			count = now.Add(s.countDead())
		}
		if now.Before(next) {
			return
		}
		next = now.Add(s.settings.Interval)
		ctx, cancel := context.WithTimeout(s.running, s.settings.Interval)
		defer cancel()
		s.refresh(ctx)
	}
}

// Tick says that the process lives, and lets a second pass for rows of removed
// series.
func (s *Store) Tick() {
	s.segment.Alive(spool.MonotonicAtLeast())
	s.tendTombs()
	s.mu.Lock()
	heap := s.heap
	s.mu.Unlock()
	s.segment.Tick()
	if heap != nil {
		heap.Tick()
	}
}

// publishing is the context key of refreshes.
type publishing struct{}

// Publishes reports whether collectors are run with the context to publish what they emit,
// and not for a scrape.
func Publishes(ctx context.Context) bool { return ctx.Value(publishing{}) != nil }

// refresh publishes what custom collectors emit, as long as the context lasts.
func (s *Store) refresh(ctx context.Context) {
	ctx = context.WithValue(ctx, publishing{}, true)
	s.mu.Lock()
	publications := s.publications
	s.mu.Unlock()
	for _, p := range publications {
		p.refresh(ctx)
	}
	s.segment.Beat(time.Now())
	s.checkPlace()
}

// checkPlace reports once that the segment was deleted or moved away. It
// tells nothing where that cannot be found out.
func (s *Store) checkPlace() {
	info, err := s.dir.Stat(s.name)
	same := false
	if err == nil {
		same, err = s.dir.Same()
	}
	switch {
	case err != nil && !spool.Vanished(err):
		return
	case err != nil:
	case !same:
		err = fmt.Errorf("%s is another directory now", s.dir.Path())
	case info.Identity != s.file.Identity():
		err = fmt.Errorf("%s is another file now", s)
	}
	if err != nil && !s.misplaced {
		s.misplaced = true
		go s.settings.Tell(fmt.Errorf("multiprocess: this process's segment is gone, and others do not see what it counts: %w", err))
	}
}
