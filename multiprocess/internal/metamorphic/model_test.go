//go:build unix

package metamorphic

import (
	"math"
	"slices"
)

// world is what the directory should have: a plain account of what processes did.
type world struct {
	processes []*process     // in the order of their beginning
	epochs    map[string]int // when the epoch first appeared, by the number of the operation
	archive   *string        // the epoch of the archive, nil if there is none
	archiveOf string         // the service of the archive
	spoilt    bool           // the archive cannot be read
	step      int
	ended     map[[2]string]int // when a series ended that nobody updated, by the number of the operation
	alone     bool              // each process counts for itself, as without a store
	learns    bool              // what processes had that ended while they did an operation is found out

	editionsSeen map[string]map[int]int // by family, when an edition appeared, by the number of the operation
	vague        map[string]bool        // families of which nobody knows when an edition first appeared
	removals     []removal
}

// removal is what a process removed of a family: one series, or all.
type removal struct {
	by     *process
	family string
	whole  bool
}

// process is one that lives, or what is left of it.
type process struct {
	name, epoch string
	service     string
	edition     int
	lives       bool
	begunAt     int
	expires     bool // its series end in an elapse
	python      bool // it used Python's client, and what it left is not in the archive
	shifted     bool // its wall clock went wrong
	untimed     bool // when it had ended: who is behind has read what its clocks showed before
	rebooted    bool // it is of an earlier boot
	archived    bool // the archive alone has what it left
	damaged     bool // its file cannot be read any more by those who begin to read
	families    map[string]map[string]*row
	begun       map[string]int // when it made the instrument of a family, by the number of the operation
}

// row is what a process has of a series.
type row struct {
	kind     byte            // of the family, to the process that has it
	whole    uint64          // of a counter
	value    float64         // of a counter, its fractions
	observed map[float64]int // how often each value was
	bounds   []float64       // of a histogram
	added    bool            // a gauge was, not only set
	ended    bool            // it is about to be dropped
	set      int             // when a gauge was set last, by the number of the operation; 0 for never

	removedBy []*process // who removed it behind the end of its process

	// doubtful says that readers may leave it out, all or none of them.
	doubtful bool
	untimed  bool // readers may not know when it was set
}

func newWorld() *world {
	return &world{ended: make(map[[2]string]int), epochs: make(map[string]int), editionsSeen: make(map[string]map[int]int), vague: make(map[string]bool)}
}

func (w *world) process(name string) *process {
	for _, p := range w.processes {
		if p.name == name {
			return p
		}
	}
	return nil
}

// living returns the process of the name, nil if it does not live.
func (w *world) living(name string) *process {
	if p := w.process(name); p != nil && p.lives {
		return p
	}
	return nil
}

// can reports whether an operation makes sense. Those that do not are left out by
// whoever plays a script, so that a script stays one when operations are left out.
func (w *world) can(o op) bool {
	switch o.verb() {
	case "open":
		return w.process(o.arg(1)) == nil && (w.epochs[o.opt("epoch")] > 0 || !w.isDamaged()) && !w.hides(o.opt("service"))
	case "fold", "stop", "litter", "read", "reopen", "clone":
		return true
	case "elapse":
		return o.arg(1) == "" || w.living(o.arg(1)) != nil && !w.revives(o)
	case "mend":
		return w.spoilt
	case "python":
		return w.process(o.arg(1)) == nil && !w.isDamaged()
	case "mark":
		p := w.process(o.arg(1))
		return p != nil && p.python
	case "shift", "reboot":
		p := w.process(o.arg(1))
		return p != nil && !p.python && !p.damaged && !p.archived && !p.shifted && !p.rebooted && (o.verb() == "shift" || !p.lives && !w.hasRemoved(p) && !w.wasRemovedFrom(p))
	case "copy":
		p := w.process(o.arg(1))
		return p != nil && !p.python
	case "damage":
		if o.arg(1) == "archive" {
			return w.archive != nil && !w.spoilt && len(w.epochs) < 2
		}
		p := w.process(o.arg(1))
		// Who reads on from a mapping knows when an epoch appeared of which others can
		// read no file any more, so that another epoch may count. That is in order.
		return p != nil && !p.lives && !p.python && !p.damaged && !p.archived && len(w.epochs) < 2
	}
	return w.living(o.arg(1)) != nil && !w.revives(o)
}

// hasRemoved reports whether the process removed what others had left: those cannot be of a
// later boot than it is.
func (w *world) hasRemoved(p *process) bool {
	for _, other := range w.processes {
		for _, rows := range other.families {
			for _, r := range rows {
				if slices.Contains(r.removedBy, p) {
					return true
				}
			}
		}
	}
	return false
}

// wasRemovedFrom reports whether others have removed, at any time, series of families that
// the process has: had it been of an earlier boot than they are, it would have been dead
// by then.
func (w *world) wasRemovedFrom(p *process) bool {
	return slices.ContainsFunc(w.removals, func(r removal) bool {
		return r.by != p && p.families[r.family] != nil && w.reaches(r.by, p, r.family, r.whole)
	})
}

func (w *world) isDamaged() bool { return slices.ContainsFunc(w.processes, w.isLost) }

// isLost reports whether what a process left cannot be read by those who begin to read.
func (w *world) isLost(p *process) bool { return p.damaged || p.archived && w.spoilt }

// play does an operation that can be done.
func (w *world) play(o op) {
	w.step++
	p := w.process(o.arg(1))
	switch o.verb() {
	case "open":
		if w.refuses(o.opt("service")) {
			return
		}
		p = &process{name: o.arg(1), epoch: o.opt("epoch"), service: o.opt("service"), edition: 1, lives: true, families: make(map[string]map[string]*row)}
		if o.opt("edition") == "2" {
			p.edition = 2
		}
		p.begunAt = w.step
		p.expires = o.opt("expiry") == brief.String()
		if !slices.Contains(w.present(), p.epoch) {
			w.epochs[p.epoch] = w.step
		}
		w.processes = append(w.processes, p)
	case "elapse":
		w.elapse(o)
	case "make":
		w.row(p, o.arg(2), o.arg(3))
	case "add", "set", "observe":
		w.row(p, o.arg(2), o.arg(3)).update(o.verb(), o.value(), w.step)
	case "crowd":
		w.row(p, o.arg(2), o.arg(3)).crowd(o.value())
	case "remove":
		p.begin(o.arg(2), w.step)
		if p.families[o.arg(2)][o.arg(3)] != nil {
			w.forget(p, o.arg(2), []string{o.arg(3)}, false)
		}
	case "clear":
		p.begin(o.arg(2), w.step)
		w.forget(p, o.arg(2), sorted(p.families[o.arg(2)]), true)
	case "replace":
		w.forget(p, o.arg(2), sorted(p.families[o.arg(2)]), true)
		labels, values := o.pairs()
		for i, label := range labels {
			w.row(p, o.arg(2), label).update(updates[o.arg(2)[0]], values[i], w.step)
		}
	case "kill":
		p.lives = false
	case "crash":
		if !w.learns {
			w.row(p, o.arg(2), o.arg(3)).crowd(o.value())
		}
		p.lives = false
	case "churn":
		w.doubt(p, o.arg(2))
		p.lives = false
	case "python":
		w.python(o)
	case "shift":
		p.shifted, p.untimed = true, !p.lives
	case "reboot":
		p.rebooted = true
	case "damage":
		if p == nil {
			w.spoilt = true
		} else {
			p.damaged = true
		}
	case "mend":
		w.spoilt = false
	}
}

// forget takes series of a family out of the process, or all of them, and out of those of
// its epoch that are dead. What the dead left is back if the file of the process can be read
// no more, unless a fold came between.
func (w *world) forget(p *process, family string, labels []string, whole bool) {
	w.removals = append(w.removals, removal{p, family, whole})
	for _, label := range labels {
		delete(p.families[family], label)
	}
	for _, other := range w.processes {
		if other == p || other.lives || !other.python && !w.reaches(p, other, family, whole) {
			continue
		}
		for label, r := range other.families[family] {
			switch {
			case !whole && !slices.Contains(labels, label):
			case other.python || other.rebooted || other.damaged: // nobody knows whether they ended before, or what they left
				r.doubtful = true
			default:
				r.removedBy = append(r.removedBy, p)
			}
		}
	}
}

// reaches reports whether what a process removes of a family, one series or all, is removed
// of another one, too, that is dead.
func (w *world) reaches(p, other *process, family string, whole bool) bool {
	return p.epoch == other.epoch && (sameSeries(family, p.edition, other.edition) || whole && !isContested(family))
}

// isGone reports whether a row was removed by a process whose word counts: for readers who
// are behind that of one whose file is damaged may count or not.
func (r *row) isGone() (gone, perhaps bool) {
	for _, p := range r.removedBy {
		gone = gone || !p.damaged
		perhaps = true
	}
	return gone, perhaps
}

// bury makes what was removed gone for good: the archive has it without.
func (w *world) bury() {
	for _, p := range w.processes {
		for _, rows := range p.families {
			for label, r := range rows {
				if gone, _ := r.isGone(); gone && !p.damaged {
					delete(rows, label)
				}
			}
		}
	}
}

// doubt has what the dead have of a family shown or not.
func (w *world) doubt(p *process, family string) {
	w.removals = append(w.removals, removal{p, family, true})
	for _, other := range w.processes {
		if !other.lives && other != p {
			for _, r := range other.families[family] {
				r.doubtful = true
			}
		}
	}
}

// updates says by which verb a family is updated in a replace.
var updates = map[byte]string{
	'c': "add", 'b': "add", 'x': "add", 'y': "add", 'g': "set", 'm': "set", 'l': "set", 'a': "set", 't': "set", 'i': "set", 'e': "set",
	'h': "observe", 'n': "observe", 's': "observe",
}

// row returns what a process has of a series, which is made if it is not there.
func (w *world) row(p *process, family, label string) *row {
	w.define(p, family)
	r := p.families[family][label]
	if r == nil {
		r = &row{kind: kindOf(family, p.edition), observed: make(map[float64]int)}
		switch r.kind {
		case 'h':
			r.bounds = boundsOf(p.edition)
		case 'e':
			r.set = w.step // its first state is as good as set
		}
		p.families[family][label] = r
	}
	return r
}

// begin notes that a process made the instrument of a family at a step, if it had not:
// though it defines the family with its first series, that appeared then.
func (p *process) begin(family string, step int) {
	if p.begun == nil {
		p.begun = make(map[string]int)
	}
	if p.begun[family] == 0 {
		p.begun[family] = step
	}
}

// define has a process define a family, if it has not.
func (w *world) define(p *process, family string) {
	if p.families[family] == nil {
		p.families[family] = make(map[string]*row)
		if w.editionsSeen[family] == nil {
			w.editionsSeen[family] = make(map[int]int)
		}
		w.vague[family] = w.vague[family] || w.isDamaged()
		p.begin(family, w.step)
		if first := w.editionsSeen[family][p.edition]; first == 0 || p.begun[family] < first {
			w.editionsSeen[family][p.edition] = p.begun[family]
		}
	}
}

func (r *row) update(verb string, v float64, step int) {
	switch {
	case verb == "observe":
		r.observed[v]++
		r.value += v
	case verb == "set":
		r.value, r.set = v, step
	case r.kind == 'c' && v == math.Trunc(v) && v < 1<<60:
		r.whole += uint64(v)
	default:
		r.value += v
		r.set, r.added = step, true
	}
}

// over reports whether a fold may delete what is left of the process: its epoch is over.
func (w *world) over(p *process) bool {
	counts := w.epoch(nil)
	return counts != "" && !p.python && p.epoch != "" && p.epoch != counts && !w.alive(p.epoch, nil) && w.epochs[p.epoch] < w.epochs[counts]
}

// alive reports whether a process of the epoch lives, or is taken to live.
func (w *world) alive(epoch string, taken map[string]bool) bool {
	return taken[epoch] || slices.ContainsFunc(w.processes, func(p *process) bool { return p.epoch == epoch && p.lives })
}

// crowd is what a crowd does. In whatever order, the sum is exact.
func (r *row) crowd(v float64) {
	const times = crowdSize * crowdTimes
	switch {
	case r.kind == 'c' && v == math.Trunc(v):
		r.whole += uint64(v) * times
		return
	case updates[r.kind] == "observe":
		r.observed[v] += times
	}
	r.value += v * times
	r.added = true
}

// epoch returns the epoch that counts: one with a name, then one that has a live writer,
// then the latest. Those taken to live do.
func (w *world) epoch(taken map[string]bool) string {
	best, found := "", false
	better := func(a, b bool, otherwise bool) bool { return a && !b || a == b && otherwise }
	for _, e := range w.present() {
		if !found || better(e != "", best != "", better(w.alive(e, taken), w.alive(best, taken), w.epochs[e] > w.epochs[best])) {
			best, found = e, true
		}
	}
	return best
}

// present returns the epochs of which there are files.
func (w *world) present() (epochs []string) {
	if w.archive != nil && !w.spoilt {
		epochs = append(epochs, *w.archive)
	}
	for _, p := range w.processes {
		if !w.isLost(p) && !p.python {
			epochs = append(epochs, p.epoch)
		}
	}
	return epochs
}

// part is a row that counts, and whose it is.
type part struct {
	of *process
	*row
}

// expectation is what a page may have of a sample.
type expectation struct {
	least, most float64
	optional    bool
}
