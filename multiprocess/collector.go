package multiprocess

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"sync"
	"time"

	"telltale/internal/cell"
	"telltale/internal/mapped"
	"telltale/model"
)

// The environment variables that name the directory, as for Python's client. The
// second spelling is deprecated there.
const (
	dirVariable           = "PROMETHEUS_MULTIPROC_DIR"
	deprecatedDirVariable = "prometheus_multiproc_dir"
)

// origin is embedded without being on the public face.
type origin = cell.Origin

// Collector merges the files of a directory. All methods are safe for concurrent
// use: collections read the files one after the other and emit side by side.
type Collector struct {
	origin
	settings *settings
	pool     sync.Pool // of *totals
	folder   *folder   // nil if nothing is to be folded

	foldsPython bool

	mu      sync.Mutex // held while files are read, not while families are emitted
	dir     *directory
	stats   Stats
	closed  bool
	cleanup runtime.Cleanup
}

// NewCollector returns a collector of the files in dir, or, if dir is empty, in
// the directory that the environment variable PROMETHEUS_MULTIPROC_DIR names. It
// is an error if there is no such directory. Nothing is read before the first
// collection, and files need not be there yet.
//
// A collector belongs to no registry until it is registered. Register it on a
// registry of its own, or beside instruments that are not written to the
// directory.
func NewCollector(dir string, opts ...Option) (*Collector, error) {
	dir, err := resolveDirectory(dir)
	if err != nil {
		return nil, err
	}
	return newCollector(dir, newSettings(opts), nil), nil
}

// newCollector returns a collector of a directory to which this process writes
// the segments that own returns, at each collection.
func newCollector(dir string, s *settings, own func() []ownSegment) *Collector {
	d := &directory{path: dir, hook: s.files, merger: newMerger(s, nil), own: own}
	c := &Collector{origin: origin{Directory: dir}, settings: s, dir: d, pool: sync.Pool{New: func() any { return &totals{} }}}
	if !s.still && mapped.GrowingSupported {
		c.folder = newFolder(dir, c.folded, s.fold...)
		c.foldsPython = newFoldSettings(s.fold).python
	}
	c.cleanup = runtime.AddCleanup(c, (*directory).close, d) // mappings are outside the garbage collector's sight
	return c
}

// Close ends the folds that the collector has begun, waits for the collection that
// reads files, and then gives back all mappings and descriptors. Collections that
// emit what they have read go on; later ones return an error that is [fs.ErrClosed],
// those of restricted views too. The error is always nil. Closing twice does nothing
// more. A collector that nobody refers to any more is closed without it.
func (c *Collector) Close() error {
	if c.folder != nil {
		c.folder.close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		c.cleanup.Stop()
		c.dir.close()
	}
	return nil
}

// open returns an error if the collector is closed. The caller holds the lock.
func (c *Collector) open() error {
	if c.closed {
		return fmt.Errorf("multiprocess: the collector of %s: %w", c.dir.path, fs.ErrClosed)
	}
	return nil
}

// resolveDirectory finds the directory and checks that it is one.
func resolveDirectory(dir string) (string, error) {
	variable := ""
	for _, name := range []string{dirVariable, deprecatedDirVariable} {
		if dir == "" {
			variable, dir = name, os.Getenv(name)
		}
	}
	if dir == "" {
		return "", errors.New("multiprocess: no directory is given, and the environment variable " + dirVariable + " is not set or empty")
	}
	_, err := statDirectory(dir)
	if err != nil && variable != "" {
		err = fmt.Errorf("%w (named by the environment variable %s)", err, variable)
	}
	return dir, err
}

// Collect merges all files as they are now and emits the families, sorted by
// name. A family is valid until emit returns. It is an error if the directory
// cannot be read, and if the collector is
// closed; what is wrong with single files is told to the error hook and
// counted.
func (c *Collector) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return c.collect(ctx, nil, emit)
}

// Describe returns nothing: what files hold is not known before they are there,
// and a registry that collects to find out would claim names that come and go.
func (c *Collector) Describe() []*model.Family { return nil }

// Restricted returns a live view with only the named samples and families. It
// reads the values of no others, and no values at all from files that have none
// of them.
func (c *Collector) Restricted(names ...string) model.Collector {
	return &restricted{c.origin, c, []nameSet{newNameSet(names)}}
}

// Stats returns how the collector found its directory at the last collection.
func (c *Collector) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Skipped = maps.Clone(s.Skipped)
	return s
}

// folded is told of a fold in the background.
func (c *Collector) folded(r *FoldReport, err error) {
	c.mu.Lock()
	before := c.stats.Folds
	after := before
	if !r.Busy {
		after.Count++
		after.Files += uint64(len(r.Absorbed))
		after.Last, after.Duration = time.Now(), r.Duration
	}
	after.Err = err
	c.stats.Folds = after
	c.mu.Unlock()
	if err != nil && (before.Err == nil || before.Err.Error() != err.Error()) {
		c.settings.tell(err)
	}
}

func (c *Collector) collect(ctx context.Context, filters []nameSet, emit func(*model.Family) error) error {
	t := c.pool.Get().(*totals)
	defer c.pool.Put(t)
	views, reports, err := c.gather(ctx, t, filters)
	for _, report := range reports {
		c.settings.tell(report)
	}
	if err != nil {
		return err
	}
	for _, v := range views {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, wanted := restrict(v.family(t, cumulative), filters)
		if !wanted {
			continue
		}
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}

// apart runs change while no files are read.
func (c *Collector) apart(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// rereadings is how often files are read again because a fold has come between,
// which takes longer than reading.
const rereadings = 20

// gather reads the files. The views fit the totals, whatever is read later.
func (c *Collector) gather(ctx context.Context, t *totals, filters []nameSet) (views []*view, reports []error, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.open(); err != nil {
		return nil, nil, err
	}
	m := c.dir.merger
	defer func() { reports, m.reports = m.reports, nil }()
	c.stats.Collections++
	m.tidy()
	var wanted *selection
	for again := 0; ; again++ {
		if err := c.dir.refresh(ctx); err != nil {
			return nil, nil, err
		}
		wanted = m.catalog.choose(filters)
		if err := m.read(ctx, t, wanted); err != nil {
			return nil, nil, err
		}
		same, err := c.dir.consistent()
		if err != nil {
			return nil, nil, err
		}
		if same {
			break
		}
		if again == rereadings {
			return nil, nil, fmt.Errorf("multiprocess: %s was folded %d times while it was read", c.dir.path, again+1)
		}
	}
	m.include()
	m.tell()
	if lost := c.dir.lost; lost != nil && c.stats.Lost == nil {
		m.reports = append(m.reports, lost)
	}
	c.stats.Listings, c.stats.Lost = c.dir.listings, c.dir.lost
	m.fillStats(&c.stats)
	if c.folder != nil {
		dead := c.stats.Dead
		if c.foldsPython {
			dead += c.stats.Python // as far as is known
		}
		c.folder.saw(dead)
	}
	return m.catalog.views(wanted), nil, nil
}
