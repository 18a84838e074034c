package multiprocess

import (
	"unsafe"

	"telltale/model"
)

// source is one writer's file as merging sees it: definitions once, values each
// time. Every kind of file implements it.
type source interface {
	// origin returns the path of the file, for messages.
	origin() string
	// update reads what was added to the file, and reports whether its
	// definitions are others than before. After an error the file has none.
	update() (changed bool, err error)
	// claims returns what the file says of families, in the order in which it
	// says it, once for each.
	claims() []*claim
	// bind finds the slots of definitions that have none yet, or of all after
	// the catalog's epoch changed.
	bind(c *catalog)
	// mark tells the catalog which slots the file has.
	mark(c *catalog)
	// standing is where the file comes among others.
	standing() standing
	// read merges the file's values, of all families or of the wanted ones.
	// After an error the totals are spoilt.
	read(t *totals, wanted *selection) error
	// size returns how many definitions and bytes the file has.
	size() (definitions int, bytes int64)
	// replaced reports whether another file has taken the place of this one.
	replaced() bool
	// passing reports whether the file may vanish at any time by design.
	passing() bool
	// reset forgets everything but the way to the file.
	reset()
	// close releases what the source holds.
	close()
}

// standing orders files: what the first says of a family counts.
type standing struct {
	rank  rank
	start int64 // when it was made; the newest is first
}

type rank uint8

const (
	rankLive    rank = iota // a segment that its writer has
	rankPython              // in the order of names
	rankDead                // a segment that its writer has left
	rankArchive             // what writers that are gone have left
)

// definition is what a value in a file is a value of.
type definition struct {
	claim  *claim
	part   model.Parts // of its series; 0 for a sample that fits no part
	quoted bool        // a label name is not a legacy name
	sample string      // the sample's name, where part is 0
	labels string      // rendered and sorted, without a bucket's le
	upper  float64     // a bucket's bound
	// Where the label pid stands in labels, or would stand: the series of one
	// process has its own there.
	pidFrom, pidTo uint32
}

// operation is how a value is merged into what is there.
type operation uint8

const (
	opSkip    operation = iota // lost in a conflict
	opAdd                      // counters, histograms, summaries, sum
	opSet                      // all: the last file counts, if two have the series
	opMin                      // NaN only where all are NaN
	opMax                      // likewise
	opLatest                   // the first of the newest; none before time 0
	opCollect                  // info: all that there are
)

// run is a stretch of values that are merged alike.
type run struct {
	op       operation
	from, to int
}

// binding says where the values of a file, or of files with the same beginning,
// go.
type binding struct {
	epoch int
	slots []uint32
	runs  []run
}

func (b *binding) append(op operation, slot uint32) {
	n := len(b.slots)
	b.slots = append(b.slots, slot)
	b.runs = appendRun(b.runs, op, n)
}

// appendRun lengthens the last run by place n or begins another.
func appendRun(runs []run, op operation, n int) []run {
	if last := len(runs) - 1; last >= 0 && runs[last].op == op && runs[last].to == n {
		runs[last].to++
		return runs
	}
	return append(runs, run{op, n, n + 1})
}

// selection is the families that a restricted view wants.
type selection struct {
	catalog *catalog
	wanted  map[*family]bool
	runs    map[*binding][]run
}

// of returns the runs of the binding that are wanted.
func (s *selection) of(b *binding) []run {
	if s == nil {
		return b.runs
	}
	if found, ok := s.runs[b]; ok {
		return found
	}
	var found []run
	for _, r := range b.runs {
		for i := r.from; i < r.to; i++ {
			if s.wanted[s.catalog.owners[b.slots[i]]] {
				found = appendRun(found, r.op, i)
			}
		}
	}
	s.runs[b] = found
	return found
}

// arena keeps many small texts in few blocks, which live as long as one of their
// texts does.
type arena struct{ block []byte }

const arenaBlock = 1 << 14

// keep copies text.
func (a *arena) keep(text []byte) string {
	a.reserve(len(text))
	start := len(a.block)
	a.block = append(a.block, text...)
	return a.since(start)
}

// withoutPid returns the labels of a definition but for its own pid.
func withoutPid(d *definition) string {
	before, after := d.labels[:d.pidFrom], d.labels[d.pidTo:]
	switch {
	case d.pidFrom == d.pidTo:
		return d.labels
	case before != "" && after != "":
		return before + "," + after
	}
	return before + after
}

// withPid puts a process's label among the others, instead of one of its name.
func (a *arena) withPid(d *definition, pid string) string {
	before, after := d.labels[:d.pidFrom], d.labels[d.pidTo:]
	a.reserve(len(before) + len(pid) + len(after) + 2)
	start := len(a.block)
	if a.block = append(a.block, before...); before != "" {
		a.block = append(a.block, ',')
	}
	if a.block = append(a.block, pid...); after != "" {
		a.block = append(a.block, ',')
	}
	a.block = append(a.block, after...)
	return a.since(start)
}

func (a *arena) reserve(n int) {
	if n > cap(a.block)-len(a.block) {
		a.block = make([]byte, 0, max(n, arenaBlock))
	}
}

func (a *arena) since(start int) string {
	return unsafe.String(unsafe.SliceData(a.block[start:]), len(a.block)-start)
}
