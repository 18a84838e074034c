package multiprocess

import (
	"context"
	"sync"

	"telltale/internal/cell"
	"telltale/multiprocess/internal/store"
)

// Store keeps the cells of one process's instruments in a segment, a file that
// other processes read: give it to telltale.WithStore, or to a registry's
// UseStore. Counting takes no lock and no system call, and what was counted is
// there for others at once and stays when the process is killed.
//
// The file grows as series are made and never shrinks. When the disk is full
// later series live on the heap, where only this process sees them: the error hook
// gets that once, and [Store.Stats] counts it. When another process deletes the
// file, or its directory, this process goes on with what it has, and others do
// not see it: the error hook gets that too. A new segment needs a new process.
//
// Removing a series also removes what dead processes have left of it: this process
// notes the removal in its file, which readers respect at once and folds carry out.
// What live processes have of the series stays, and so does what is counted later. A
// process that dies within a second after a removal in another one may be taken for
// dead at that time, and so may one that stood still (SIGSTOP, a frozen container), or
// whose store was closed, from before the removal until it died.
//
// Series that nobody updates (telltale.WithIdleExpiry) leave as a whole, once no process has
// updated them for that time: from the page, from the files of the living, and, with the next
// fold, from what ended processes have left.
//
// All methods are safe for concurrent use.
type Store struct {
	settings  storeSettings
	kept      *store.Store
	collector *Collector
	closing   sync.Once
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
	s := &Store{settings: newStoreSettings(opts)}
	keeping := s.settings.keeping()
	keeping.Apart = func(change func()) { s.collector.gatherer.Apart(change) }
	if !s.settings.still {
		keeping.Crowded = func(dead int) { s.collector.folder.Begun(dead) }
		keeping.Removed = func() { s.collector.folder.Removed() }
	}
	if s.kept, err = store.Open(dir, keeping); err != nil {
		return nil, err
	}
	s.collector = newCollector(dir, s.settings.settings, s.kept.Own)
	s.kept.Start()
	return s, nil
}

// Close publishes what custom collectors emit for the last time, which takes 5 seconds
// at most, and ends what the store does by itself. Error hooks may call it. Instruments
// count on, and what they count is not lost: the segment stays as it is, and its writer
// alive, until the process ends. Closing twice does nothing more. An error is that of
// the fold that [WithFoldAtClose] asks for.
func (s *Store) Close() (err error) {
	s.closing.Do(func() {
		s.kept.Close()
		if folder := s.collector.folder; folder != nil {
			folder.Close()
		}
		if s.settings.foldAtClose {
			_, err = Fold(context.Background(), s.Directory(), s.settings.fold...)
		}
	})
	return err
}

// Rows is for registries, which ask it for the cells of an instrument's series. Equal
// families share them.
func (s *Store) Rows(f cell.Family) cell.Rows { return s.kept.Rows(f) }

// Publication is for registries, which publish through it what their custom
// collectors emit. Refresh is called at intervals ([WithPublishInterval]) and when
// the store is closed.
func (s *Store) Publication(refresh func(context.Context)) cell.Publication {
	return s.kept.Publication(refresh)
}

// Merged returns the collector of what all processes have, for the registries
// that use the store.
func (s *Store) Merged() cell.MergedCollector { return s.collector }

// Directory returns the directory in which the store's segment is.
func (s *Store) Directory() string { return s.kept.Directory() }

// Stats returns how the last collection found the directory, and how many series
// of this store did not fit its segment.
func (s *Store) Stats() Stats {
	stats := s.collector.Stats()
	stats.Spilled = s.kept.SpilledSeries()
	return stats
}

// String returns the path of the store's segment.
func (s *Store) String() string { return s.kept.String() }
