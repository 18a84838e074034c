package merging

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"sync"
	"time"

	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// Settings are the options of a [Collector] and of [Merge]. With the zero Settings
// nothing is mapped.
type Settings struct {
	Tell    func(error)            // told what is wrong with files, and of conflicts; called without locks
	Saw     func(dead, python int) // told at each collection how many files there are of dead writers, and of Python's client; may be nil
	Limits  spool.Limits
	MaxRead spool.ReadLimit
	Age     time.Duration // for how long a writer that lived when it was asked is taken to live
	Epoch   *string       // nil: the one that [spool.NewSurvey] finds
	Service string        // whose directory it has to be; empty if any
	Expiry  time.Duration // of a dead process's own gauges
	Files   mapped.Hook   // passed by all operations on files; nil but in tests
}

// Tally is how the directory was at the last collection.
type Tally struct {
	Files       int                  // that were merged
	Bytes       int64                // used in them
	Skipped     map[spool.Reason]int // files that were left out
	Live        int                  // writers of segments that were merged
	Dead        int                  // writers whose segments were merged and that no archive has taken up yet
	Epoch       string               // of the segments that were merged
	Generation  uint64               // of the archive; 0 if there is none
	Python      int                  // of the files, those of Python's client
	Families    int
	Series      int // in the files, whether wanted by a restricted view or not
	Conflicts   int // disagreements of writers on families, by family and subject
	Collisions  int // series left out for those of a newer writer of the same label pid
	MappedFiles int // that stay mapped
	MappedBytes int64
	Collections uint64 // begun so far
	Listings    uint64 // of the directory so far; it is listed only after it changed
	Lost        error  // why the directory could not be listed, so that only what this process writes was shown
}

// Collector merges the files of a directory, again and again. Methods are safe for
// concurrent use: collections read the files one after the other and emit side by
// side.
type Collector struct {
	settings Settings
	pool     sync.Pool // of *totals

	mu    sync.Mutex // held while files are read, not while families are emitted
	dir   *directory
	tally Tally

	looked  time.Time // when the tally was taken the last time
	closed  bool
	cleanup runtime.Cleanup
}

// NewCollector returns a collector of the directory at the path. It calls own at each
// collection for the segments that this process writes there; own may be nil.
func NewCollector(path string, s Settings, own func() []spool.Own) *Collector {
	d := &directory{path: path, hook: s.Files, merger: newMerger(&s, nil), own: own}
	c := &Collector{settings: s, dir: d, pool: sync.Pool{New: func() any { return &catalog.Totals{} }}}
	c.cleanup = runtime.AddCleanup(c, (*directory).close, d) // mappings are outside the garbage collector's sight
	return c
}

// Close waits for the collection that reads files and gives back all mappings and
// descriptors. Later collections return an error that is [fs.ErrClosed].
func (c *Collector) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		c.cleanup.Stop()
		c.dir.close()
	}
}

// open returns an error if the collector is closed. The caller holds the lock.
func (c *Collector) open() error {
	if c.closed {
		return fmt.Errorf("multiprocess: the collector of %s: %w", c.dir.path, fs.ErrClosed)
	}
	return nil
}

// Keys returns how many keys of Python's files are in memory.
func (c *Collector) Keys() int { return c.dir.merger.python.Keys() }

// FileSystem returns the file system of the directory.
func (c *Collector) FileSystem() (mapped.FileSystem, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.open(); err != nil {
		return mapped.FileSystem{}, err
	}
	if err := c.dir.attach(); err != nil {
		return mapped.FileSystem{}, err
	}
	return c.dir.dir.FileSystem()
}

// Counts returns how the directory was at the last collection.
func (c *Collector) Counts() Tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tally
	t.Skipped = maps.Clone(t.Skipped)
	return t
}

// Collect merges all files as they are now and emits the families, sorted by name,
// with the samples that all filters want. A family is valid until emit returns.
func (c *Collector) Collect(ctx context.Context, filters []catalog.NameSet, emit func(*model.Family) error) error {
	t := c.pool.Get().(*catalog.Totals)
	defer c.pool.Put(t)
	views, reports, err := c.gather(ctx, t, filters)
	for _, report := range reports {
		c.settings.Tell(report)
	}
	if err != nil {
		return err
	}
	for _, v := range views {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, wanted := catalog.Restrict(v.Family(t, catalog.Cumulative), filters)
		if !wanted {
			continue
		}
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}

// Apart runs change while no files are read.
func (c *Collector) Apart(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// rereadings is how often files are read again because a fold has come between,
// which takes longer than reading, or because series were replaced seconds ago.
const rereadings = 20

// gather reads the files. The views fit the totals, whatever is read later.
func (c *Collector) gather(ctx context.Context, t *catalog.Totals, filters []catalog.NameSet) (views []*catalog.View, reports []error, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.open(); err != nil {
		return nil, nil, err
	}
	m := c.dir.merger
	defer func() { reports, m.reports = m.reports, nil }()
	c.tally.Collections++
	m.tidy()
	var wanted *catalog.Selection
	for again := 0; ; again++ {
		if err := c.dir.refresh(ctx); err != nil {
			return nil, nil, err
		}
		wanted = m.catalog.Choose(filters)
		err := m.read(ctx, t, wanted)
		same := false
		if err == nil {
			same, err = c.dir.consistent()
		}
		switch {
		case errors.Is(err, segment.ErrReplaced):
		case err != nil:
			return nil, nil, err
		}
		if same {
			break
		}
		if again == rereadings {
			return nil, nil, fmt.Errorf("multiprocess: %s was folded, or series in it replaced, each of %d times that it was read", c.dir.path, again+1)
		}
	}
	m.include()
	c.count()
	return m.catalog.Views(wanted), nil, nil
}

// count takes the tally of the files as they were found now, and puts what is wrong with
// them among the reports.
func (c *Collector) count() {
	m := c.dir.merger
	m.tell()
	if lost := c.dir.lost; lost != nil && c.tally.Lost == nil {
		m.reports = append(m.reports, lost)
	}
	c.tally.Listings, c.tally.Lost, c.looked = c.dir.listings, c.dir.lost, time.Now()
	m.count(&c.tally)
	if c.settings.Saw != nil {
		c.settings.Saw(c.tally.Dead, c.tally.Python)
	}
}

// Look takes the tally anew, without reading values, if the last one is as old as what is
// known of writers may be. An error says that it stays as it was.
func (c *Collector) Look(ctx context.Context) error {
	reports, err := c.look(ctx)
	for _, report := range reports {
		c.settings.Tell(report)
	}
	return err
}

func (c *Collector) look(ctx context.Context) (reports []error, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.open(); err != nil {
		return nil, err
	}
	if !c.looked.IsZero() && time.Since(c.looked) < c.settings.Age {
		return nil, nil
	}
	m := c.dir.merger
	defer func() { reports, m.reports = m.reports, nil }()
	m.tidy()
	if err := c.dir.refresh(ctx); err != nil {
		return nil, err
	}
	c.count()
	return nil, nil
}
