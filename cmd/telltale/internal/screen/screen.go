// Package screen shows a board: as a live table in a terminal, or as plain text.
// Everything that comes from targets passes Config.Printable before it is shown.
package screen

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"telltale/cmd/telltale/internal/board"
	"telltale/model"
)

// Source is a target.
type Source interface {
	// Name returns the name of the target.
	Name() string
	// Read returns its families, which the caller keeps, and what was wrong with them
	// though they could be read.
	Read(ctx context.Context) (families []*model.Family, note string, err error)
	// Writers returns the processes that write to a directory; nil for other targets.
	Writers() ([]Writer, error)
}

// Writer is a file in a directory that processes share.
type Writer struct {
	File, PID, Name, Alive string
	Series                 int
	Used, Size             int64 // in bytes
	Health                 string
}

// Config is what is shown, and how.
type Config struct {
	Sources   []Source
	Interval  time.Duration // between readings of a target
	Series    int           // most series that are kept
	Filter    string
	Order     board.Order
	Reverse   bool
	Top       int                      // most series in plain text; 0 for all
	Printable func(text string) string // makes text from targets fit for a terminal
}

func (c *Config) board() *board.Board {
	names := make([]string, len(c.Sources))
	for i, s := range c.Sources {
		names[i] = s.Name()
	}
	return board.New(c.Series, names...)
}

// reading is a target that was read.
type reading struct {
	target   int
	at       time.Time
	took     time.Duration
	families []*model.Family
	note     string
	err      error
}

// read reads a target.
func (c *Config) read(ctx context.Context, target int) reading {
	r := reading{target: target, at: time.Now()}
	r.families, r.note, r.err = c.Sources[target].Read(ctx)
	r.took = time.Since(r.at)
	return r
}

// rest returns how long to wait after a reading that took some time: a target that is
// slow is not read all the time.
func (c *Config) rest(took time.Duration) time.Duration {
	return max(c.Interval-took, c.Interval/10)
}

// apply puts a reading on a board.
func (r *reading) apply(b *board.Board) {
	if r.err != nil {
		b.Fail(r.target, r.at, r.err)
		return
	}
	b.Update(r.target, r.at, r.families)
	t := b.Targets()[r.target]
	t.Took, t.Note = r.took, r.note
}

// Run shows the table in a terminal until the user ends it, or ctx does, which is no
// error.
func Run(ctx context.Context, config Config, opts ...tea.ProgramOption) error {
	reads, cancel := context.WithCancel(ctx)
	defer cancel()
	p := tea.NewProgram(newTable(reads, &config), append(opts, tea.WithoutSignalHandler())...)
	go func() {
		<-reads.Done()
		p.Quit()
	}()
	_, err := p.Run()
	return err
}
