package fold

import (
	"context"
	"sync"
	"time"
)

const (
	// foldThreshold is how many dead writers are worth folding at once.
	foldThreshold = 64
	// foldInterval is how long dead writers wait for others, and how long a fold
	// that failed waits for better times.
	foldInterval = time.Minute
	// removedInterval is how long writers that have removed very much wait for a fold.
	removedInterval = 5 * time.Second
)

// Folder folds a directory in the background, for a store or a collector that sees its
// files anyway. At most one of its folds runs at a time. Methods are safe for
// concurrent use.
type Folder struct {
	dir      string
	settings Settings
	ended    func(*Report, error) // told of each fold, by the goroutine that folds
	cancel   context.CancelFunc
	ctx      context.Context //nolint:containedctx // of the folds, which outlive the calls that begin them
	Now      func() time.Time

	mu      sync.Mutex
	Last    time.Time // when the last fold began, or the folder was made
	running sync.WaitGroup
	busy    bool
	closed  bool
}

// NewFolder returns a folder that has nothing to do yet.
func NewFolder(dir string, ended func(*Report, error), s Settings) *Folder {
	f := &Folder{dir: dir, settings: s, ended: ended, Now: time.Now}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.Last = f.Now()
	return f
}

// Begun takes the number of dead writers when a store is opened. Many are
// folded at once.
func (f *Folder) Begun(dead int) {
	if dead >= foldThreshold {
		f.fold(0)
	}
}

// Saw takes the number of dead writers that a collection found. It does not
// wait for the fold that it may begin.
func (f *Folder) Saw(dead int) {
	if dead > 0 {
		f.fold(foldInterval)
	}
}

// Removed is called when so many series were removed that a fold, which drops them from
// the archive, is worth its cost.
func (f *Folder) Removed() { f.fold(removedInterval) }

// fold folds, unless a fold has begun so short a time ago.
func (f *Folder) fold(pause time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.Now()
	if now.Before(f.Last) {
		f.Last = now // the clock was put back
	}
	if f.closed || f.busy || now.Sub(f.Last) < pause {
		return
	}
	f.Last, f.busy = now, true
	f.running.Add(1)
	go func() {
		defer f.running.Done()
		report, err := Run(f.ctx, f.dir, f.settings)
		f.mu.Lock()
		f.busy = false
		f.mu.Unlock()
		if f.ctx.Err() == nil {
			f.ended(report, err)
		}
	}()
}

// Close ends the fold that is under way, with nothing half done, and waits for
// it. There will be no other.
func (f *Folder) Close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.cancel()
	f.running.Wait()
}
