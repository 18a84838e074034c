package multiprocess

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
)

// folder folds a directory in the background, for those who see its files anyway.
// At most one of its folds runs at a time. Methods are safe for concurrent use.
type folder struct {
	dir    string
	opts   []FoldOption
	ended  func(*FoldReport, error) // told of each fold, by the goroutine that folds
	cancel context.CancelFunc
	ctx    context.Context //nolint:containedctx // of the folds, which outlive the calls that begin them
	now    func() time.Time

	mu      sync.Mutex
	last    time.Time // when the last fold began, or the folder was made
	running sync.WaitGroup
	busy    bool
	closed  bool
}

// newFolder returns a folder that has nothing to do yet.
func newFolder(dir string, ended func(*FoldReport, error), opts ...FoldOption) *folder {
	f := &folder{dir: dir, opts: opts, ended: ended, now: time.Now}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.last = f.now()
	return f
}

// begun is told how many dead writers there are when a store is opened. Many are
// folded at once.
func (f *folder) begun(dead int) {
	if dead >= foldThreshold {
		f.fold(0)
	}
}

// saw is told how many dead writers there are, from time to time. It does not
// wait for the fold that it may begin.
func (f *folder) saw(dead int) {
	if dead > 0 {
		f.fold(foldInterval)
	}
}

// fold folds, unless a fold has begun so short a time ago.
func (f *folder) fold(pause time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if now.Before(f.last) {
		f.last = now // the clock was put back
	}
	if f.closed || f.busy || now.Sub(f.last) < pause {
		return
	}
	f.last, f.busy = now, true
	f.running.Add(1)
	go func() {
		defer f.running.Done()
		report, err := Fold(f.ctx, f.dir, f.opts...)
		f.mu.Lock()
		f.busy = false
		f.mu.Unlock()
		if f.ctx.Err() == nil {
			f.ended(report, err)
		}
	}()
}

// close ends the fold that is under way, with nothing half done, and waits for
// it. There will be no other.
func (f *folder) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.cancel()
	f.running.Wait()
}
