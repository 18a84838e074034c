package catalog

import "telltale/model"

// Source is one writer's file as merging sees it: definitions once, values each
// time. Every kind of file implements it.
type Source interface {
	// Origin returns the path of the file, for messages.
	Origin() string
	// Update reads what was added to the file, and reports whether its
	// definitions are others than before. After an error the file has none.
	Update(c *Catalog) (changed bool, err error)
	// Claims returns what the file says of families, in the order in which it
	// says it, once for each.
	Claims() []*Claim
	// Former returns what the file says of families of which it has no series. Such
	// a claim may lead, and makes no family present: folds drop series that were
	// removed, and change nothing else.
	Former() []*Claim
	// Bind finds the slots of definitions that have none yet, or of all after
	// the catalog's epoch changed.
	Bind(c *Catalog)
	// Mark tells the catalog which slots the file has.
	Mark(c *Catalog)
	// Standing is where the file comes among others.
	Standing() Standing
	// Lives adds the lives of all series in families whose series end, or of the wanted
	// ones. After an error the totals are spoilt.
	Lives(c *Catalog, l *Lives, wanted *Selection) error
	// Read merges the file's values, of all families or of the wanted ones.
	// After an error the totals are spoilt.
	Read(t *Totals, wanted *Selection) error
	// Size returns how many definitions and bytes the file has.
	Size() (definitions int, bytes int64)
	// Replaced reports whether another file has taken the place of this one.
	Replaced() bool
	// Passing reports whether the file may vanish at any time by design.
	Passing() bool
	// Reset forgets everything but the way to the file.
	Reset()
	// Close releases what the source holds.
	Close()
}

// Standing orders files: what the first says of a family counts.
type Standing struct {
	Rank  Rank
	Start int64 // when it was made, by one clock for all; the newest is first
	// Process is the label of its process, of a writer's segment. It has no part in
	// the order: series of processes are shown in that of their labels.
	Process string
}

// Rank comes before the start where files are ordered.
type Rank uint8

// The ranks, the one whose word counts most first.
const (
	RankLive    Rank = iota // a segment that its writer has
	RankPython              // in the order of names
	RankDead                // a segment that its writer has left
	RankArchive             // what writers that are gone have left
)

// Definition is what a value in a file is a value of.
type Definition struct {
	Claim  *Claim
	Part   model.Parts // of its series; 0 for a sample that fits no part
	Quoted bool        // a label name is not a legacy name
	Sample string      // the sample's name, where part is 0
	Labels string      // rendered and sorted, without a bucket's le
	Upper  float64     // a bucket's bound
	// Where the label pid stands in labels, or would stand: the series of one
	// process has its own there.
	PidFrom, PidTo uint32
}

// Operation is how a value is merged into what is there.
type Operation uint8

// The operations.
const (
	OpSkip    Operation = iota // lost in a conflict
	OpAdd                      // counters, histograms, summaries, sum
	OpSet                      // all: the last file counts, if two have the series
	OpMin                      // NaN only where all are NaN
	OpMax                      // likewise
	OpLatest                   // the first of the newest; none before time 0
	opCollect                  // info: all that there are
)

// Run is a stretch of values that are merged alike.
type Run struct {
	Op       Operation
	From, To int
}

// Binding says where the values of a file, or of files with the same beginning,
// go.
type Binding struct {
	Epoch int
	Slots []uint32
	Runs  []Run
}

// Append says where the next value goes.
func (b *Binding) Append(op Operation, slot uint32) {
	n := len(b.Slots)
	b.Slots = append(b.Slots, slot)
	b.Runs = appendRun(b.Runs, op, n)
}

// appendRun lengthens the last run by place n or begins another.
func appendRun(runs []Run, op Operation, n int) []Run {
	if last := len(runs) - 1; last >= 0 && runs[last].Op == op && runs[last].To == n {
		runs[last].To++
		return runs
	}
	return append(runs, Run{op, n, n + 1})
}
