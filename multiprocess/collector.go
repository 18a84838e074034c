package multiprocess

import (
	"context"
	"sync"
	"time"

	"telltale/internal/cell"
	"telltale/internal/mapped"
	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/fold"
	"telltale/multiprocess/internal/merging"
	"telltale/multiprocess/internal/spool"
)

// origin is embedded without being on the public face.
type origin = cell.Origin

// Collector merges the files of a directory. All methods are safe for concurrent
// use: collections read the files one after the other and emit side by side.
type Collector struct {
	origin
	settings *settings
	gatherer *merging.Collector
	folder   *fold.Folder // nil if nothing is to be folded

	mu    sync.Mutex
	folds Folds
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
func newCollector(dir string, s *settings, own func() []spool.Own) *Collector {
	c := &Collector{origin: origin{Directory: dir}, settings: s}
	gathering := s.gathering()
	if !s.still && mapped.GrowingSupported {
		folds := newFoldSettings(s.fold)
		c.folder = fold.NewFolder(dir, c.folded, folds)
		folder := c.folder
		gathering.Saw = func(dead, python int) {
			if folds.Python {
				dead += python // as far as is known
			}
			folder.Saw(dead)
		}
	}
	c.gatherer = merging.NewCollector(dir, gathering, own)
	return c
}

// Close ends the folds that the collector has begun, waits for the collection that
// reads files, and then gives back all mappings and descriptors. Collections that
// emit what they have read go on; later ones return an error that is [fs.ErrClosed],
// those of restricted views too. The error is always nil. Closing twice does nothing
// more. A collector that nobody refers to any more is closed without it.
func (c *Collector) Close() error {
	if c.folder != nil {
		c.folder.Close()
	}
	c.gatherer.Close()
	return nil
}

// Collect merges all files as they are now and emits the families, sorted by
// name. A family is valid until emit returns. It is an error if the directory
// cannot be read, and if the collector is closed; what is wrong with single files is
// told to the error hook and counted.
func (c *Collector) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return c.gatherer.Collect(ctx, nil, emit)
}

// Describe returns nothing: what files hold is not known before they are there,
// and a registry that collects to find out would claim names that come and go.
func (c *Collector) Describe() []*model.Family { return nil }

// Restricted returns a live view with only the named samples and families. It
// reads the values of no others, and no values at all from files that have none
// of them.
func (c *Collector) Restricted(names ...string) model.Collector {
	return &restricted{c.origin, c, []catalog.NameSet{catalog.NewNameSet(names)}}
}

// Stats returns how the collector found its directory at the last collection.
func (c *Collector) Stats() Stats {
	t := c.gatherer.Counts()
	s := Stats{
		Files: t.Files, Bytes: t.Bytes, Skipped: t.Skipped, Live: t.Live, Dead: t.Dead, Epoch: t.Epoch,
		Generation: t.Generation, Python: t.Python, Families: t.Families, Series: t.Series, Conflicts: t.Conflicts,
		Collisions: t.Collisions, MappedFiles: t.MappedFiles, MappedBytes: t.MappedBytes,
		Collections: t.Collections, Listings: t.Listings, Lost: t.Lost,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Folds = c.folds
	return s
}

// folded notes the outcome of a fold in the background.
func (c *Collector) folded(r *fold.Report, err error) {
	c.mu.Lock()
	before := c.folds
	after := before
	if !r.Busy {
		after.Count++
		after.Files += uint64(len(r.Absorbed))
		after.Last, after.Duration = time.Now(), r.Duration
	}
	after.Err = err
	c.folds = after
	c.mu.Unlock()
	if err != nil && (before.Err == nil || before.Err.Error() != err.Error()) {
		go c.settings.tell(err) // the hook may close the collector, which waits for the fold
	}
}
