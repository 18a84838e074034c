package multiprocess

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"os"
	"runtime"
	"sync"
	"time"

	"telltale/internal/cell"
	"telltale/model"
)

// The environment variables that name the directory, as for Python's client. The
// second spelling is deprecated there.
const (
	dirVariable           = "PROMETHEUS_MULTIPROC_DIR"
	deprecatedDirVariable = "prometheus_multiproc_dir"
)

// Collector merges the files of a directory. All methods are safe for concurrent
// use: collections read the files one after the other and emit side by side.
type Collector struct {
	hook func(error)
	pool sync.Pool // of *totals

	mu    sync.Mutex // held while files are read, not while families are emitted
	dir   *directory
	stats Stats
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
	d := &directory{path: dir, merger: newMerger(s), own: own}
	c := &Collector{hook: s.hook, dir: d, pool: sync.Pool{New: func() any { return &totals{} }}}
	runtime.AddCleanup(c, func(d *directory) { // mappings are outside the garbage collector's sight
		d.merger.release()
	}, d)
	return c
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
// cannot be read; what is wrong with single files is told to the error hook and
// counted.
func (c *Collector) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return c.collect(ctx, nil, emit)
}

// Reads reports whether the store is of the directory that the collector reads.
// A registry with that store refuses the collector, since it shows what is there
// by itself.
func (c *Collector) Reads(s cell.Store) bool {
	store, ok := s.(*Store)
	if !ok {
		return false
	}
	mine, err := os.Stat(c.dir.path)
	theirs, failed := os.Stat(store.dir)
	return err == nil && failed == nil && os.SameFile(mine, theirs)
}

// Describe returns nothing: what files hold is not known before they are there,
// and a registry that collects to find out would claim names that come and go.
func (c *Collector) Describe() []*model.Family { return nil }

// Restricted returns a live view with only the named samples and families. It
// reads the values of no others, and no values at all from files that have none
// of them.
func (c *Collector) Restricted(names ...string) model.Collector {
	return &restricted{c, []nameSet{newNameSet(names)}}
}

// Directory returns the directory whose files are merged.
func (c *Collector) Directory() string { return c.dir.path }

// Overlaps reports whether the store writes to the collector's directory. It is
// for registries, which refuse the collector beside the store.
func (c *Collector) Overlaps(s cell.Store) bool {
	other, ok := s.(interface{ Directory() string })
	if !ok {
		return false
	}
	mine, err := os.Stat(c.Directory())
	theirs, failed := os.Stat(other.Directory())
	return err == nil && failed == nil && os.SameFile(mine, theirs)
}

// Stats returns how the collector found its directory at the last collection.
func (c *Collector) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Skipped = maps.Clone(s.Skipped)
	return s
}

func (c *Collector) collect(ctx context.Context, filters []nameSet, emit func(*model.Family) error) error {
	t := c.pool.Get().(*totals)
	defer c.pool.Put(t)
	views, reports, err := c.gather(ctx, t, filters)
	for _, report := range reports {
		c.tell(report)
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

// rereadings is how often files are read again because a fold has come between,
// which takes longer than reading.
const rereadings = 20

// gather reads the files. The views fit the totals, whatever is read later.
func (c *Collector) gather(ctx context.Context, t *totals, filters []nameSet) (views []*view, reports []error, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
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
		if c.dir.consistent() {
			break
		}
		if again == rereadings {
			return nil, nil, fmt.Errorf("multiprocess: %s was folded %d times while it was read", c.dir.path, again+1)
		}
	}
	m.tell()
	if lost := c.dir.lost; lost != nil && c.stats.Lost == nil {
		m.reports = append(m.reports, lost)
	}
	c.stats.Listings, c.stats.Lost = c.dir.listings, c.dir.lost
	m.fillStats(&c.stats)
	return m.catalog.views(wanted), nil, nil
}

// tell calls the hook, whose panics end here.
func (c *Collector) tell(err error) {
	defer func() { _ = recover() }()
	c.hook(err)
}

// Option is an option of [NewCollector] and of [Open].
type Option interface {
	StoreOption
	apply(*settings)
}

type option func(*settings)

func (o option) apply(s *settings)           { o(s) }
func (o option) applyStore(s *storeSettings) { o(s.settings) }

type settings struct {
	hook   func(error)
	limits limits
	epoch  *string
	expiry time.Duration
}

// tell calls the hook, whose panics end here.
func (s *settings) tell(err error) {
	defer func() { _ = recover() }()
	s.hook(err)
}

func newSettings(opts []Option) *settings {
	// A process may have 65,530 mappings on Linux, and there is little address
	// space on 32-bit systems.
	s := &settings{hook: func(error) {}, limits: limits{maxFiles: 1 << 14, maxBytes: 16 << 30}, expiry: time.Hour}
	if bits.UintSize == 32 {
		s.limits = limits{maxFiles: 1 << 12, maxBytes: 256 << 20}
	}
	for _, o := range opts {
		o.apply(s)
	}
	return s
}

// WithErrorHook has hook told of every file that is left out, as a [*FileError],
// and of every family on which writers disagree, as a [*ConflictError]: once,
// until it is otherwise. It is called by the goroutine that collects; what it
// panics with is dropped.
func WithErrorHook(hook func(error)) Option {
	return option(func(s *settings) {
		if hook != nil {
			s.hook = hook
		}
	})
}

// WithMappingLimits bounds what stays mapped between collections; without it
// that is 16,384 files and 16 GiB of address space, on 32-bit systems 4,096 and
// 256 MiB. Files beyond are opened and read at each collection, which takes
// about ten times as long. With limits of 0 nothing is mapped.
func WithMappingLimits(files int, bytes int64) Option {
	return option(func(s *settings) { s.limits.maxFiles, s.limits.maxBytes = files, bytes })
}

// WithEpoch has only segments of that epoch merged. Without it the epoch is that of
// the writer that started last, among those that live if there are any. Python's
// files have no epoch and are always merged.
func WithEpoch(epoch string) Option {
	return option(func(s *settings) { s.epoch = &epoch })
}

// WithExpiry says for how long the series that a process had for itself, of a
// gauge of the mode all, are shown after it was found dead and its segment was
// folded; without it that is an hour.
func WithExpiry(after time.Duration) Option {
	return option(func(s *settings) { s.expiry = after })
}
