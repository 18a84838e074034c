package spool

import (
	"cmp"
	"fmt"
	"strconv"

	"telltale/multiprocess/internal/segment"
)

// Seen is a segment as a reader or a fold of the directory found it.
type Seen struct {
	Name   Name            // the file's; any where it was given by hand
	Header *segment.Header // nil if it cannot be read
	Live   bool            // a writer's that is not known to be dead
	Own    bool            // this process writes it
	Taken  *segment.Taken  // what an archive says that it has taken up, which [CheckTaken] has seen; nil if nothing
	Alive  int64           // when a writer said last that it lives, by its boot's clock, if it was looked at for a fold or a store
}

// id returns the ID of a writer's segment, from its name if it cannot be read.
func (s *Seen) id() [16]byte {
	if s.Header != nil {
		return s.Header.ID
	}
	return s.Name.ID()
}

// standing says how much the word of a segment counts on whose directory it is in: a live
// writer's most, then an archive's.
func (s *Seen) standing() int {
	switch {
	case s.isArchive():
		return 2
	case s.Live:
		return 3
	}
	return 1
}

func (s *Seen) isArchive() bool { return s.Header != nil && s.Header.Kind == segment.KindArchive }

// Verdict says what becomes of a segment.
type Verdict uint8

// The verdicts.
const (
	// Counts: it is merged, and folded once its writer is dead.
	Counts Verdict = iota
	// Unread: nothing is known of it.
	Unread
	// TakenUp: an archive has what it has.
	TakenUp
	// Copied: another file of the same writer counts.
	Copied
	// Superseded: its epoch is not the one that counts, and not over.
	Superseded
	// Over: its epoch is not the one that counts. It appeared earlier, and no writer
	// of it lives: what is left of it may be deleted.
	Over
	// Unnamed: it has no epoch, and others have one. Nobody knows whether it belongs
	// to them.
	Unnamed
)

// Survey says which segments of a directory count, and as what: for readers and for
// folds alike.
type Survey struct {
	Epoch    string         // that counts
	First    segment.Moment // when it first appeared, as headers of this boot say it; now if no segment has it
	Service  string         // whose directory it is, as a segment that counts says; empty if none does
	Verdicts []Verdict      // of each segment
	Original []int          // of each that is Copied, which one counts; its own place else
	// Labels tell writers apart: each one's name, or else its pid, and more behind an
	// @ where several that live share that. Archives have none.
	Labels []string
	// Doubts are archives that name a file as taken up whose writer lives or is
	// younger, and that name. The file counts.
	Doubts     map[int]Name
	Newest     *segment.Header // of the writer that counts and began last, of those that live if any do, else of the archive; nil if there is nothing
	Live       int             // writers that count
	Dead       int             // likewise, and no archive has taken them up
	Generation uint64          // of the archive that counts; 0 if there is none

	by int // the standing of the segment that says whose directory it is
	// How many writers' segments [Dir.Survey] has looked at, and how many there are.
	looked, writers int
	seen            []Seen
	aside           map[string]int   // by name, the archive that has taken it up
	taken           map[[16]byte]int // of the writers that were seen, the archive that has taken it up; -1 if none has
	born            []int64          // by the clock
}

// NewSurvey settles which of the segments count. Without a wanted epoch it is one
// that has a name if any has, among those one with a live writer, and among those
// the one that first appeared last.
func NewSurvey(seen []Seen, wanted *string, clock Clock) *Survey {
	s := &Survey{
		Verdicts: make([]Verdict, len(seen)), Original: make([]int, len(seen)), Labels: make([]string, len(seen)),
		seen: seen, aside: make(map[string]int), taken: make(map[[16]byte]int), born: make([]int64, len(seen)),
	}
	for i := range seen {
		s.Original[i] = i
		if seen[i].Header == nil {
			s.Verdicts[i] = Unread
		} else {
			s.born[i] = clock.BornAt(seen[i].Header)
		}
		if w := &seen[i]; w.mayBeTaken() {
			s.taken[w.id()] = -1
		}
	}
	s.findTaken()
	s.findAbsorbed()
	s.findCopies()
	epochs := s.epochs(clock)
	s.choose(epochs, wanted, clock)
	s.judge(epochs, wanted != nil)
	s.label()
	return s
}

// TakenBy returns the archive that says that it has taken up one of Python's files.
func (s *Survey) TakenBy(name Name) (archive int, ok bool) {
	archive, ok = s.aside[name.text]
	return archive, ok
}

// mayBeTaken reports whether an archive may have taken up a segment: none takes up another,
// or what this process writes, whatever it says.
func (s *Seen) mayBeTaken() bool { return !s.isArchive() && !s.Own && s.id() != [16]byte{} }

// findTaken finds which archives name the files that were seen: they may name many that are
// gone.
func (s *Survey) findTaken() {
	for i := range s.seen {
		taken := s.seen[i].Taken
		if taken == nil {
			continue
		}
		for _, file := range taken.Aside {
			s.aside[file.Name] = i
		}
		if len(s.taken) == 0 {
			continue
		}
		for _, id := range taken.Writers {
			if _, seen := s.taken[id]; seen {
				s.taken[id] = i
			}
		}
	}
}

// Born returns when a segment was made, by the clock of the survey: the newest has
// the largest number. It is 0 of one that cannot be read.
func (s *Survey) Born(i int) int64 { return s.born[i] }

// Here reports whether a segment is of a live writer, or of the boot and the PID
// namespace of the newest writer, as far as is known.
func (s *Survey) Here(i int) bool {
	return s.seen[i].Live || s.seen[i].Header == nil || s.IsHere(s.seen[i].Header)
}

// IsHere reports whether a segment with the header is of the boot and the PID namespace
// of the newest writer, as far as is known.
func (s *Survey) IsHere(h *segment.Header) bool {
	n := s.Newest
	return n == nil || same(n.Boot, h.Boot) && same(n.Namespace, h.Namespace)
}

// same reports whether two may be equal, each of which may be unknown.
func same[T comparable](a, b T) bool {
	var unknown T
	return a == b || a == unknown || b == unknown
}

// findAbsorbed finds what archives have taken up. That a writer lives, or began after
// the archive's newest one, is proof that it was not.
func (s *Survey) findAbsorbed() {
	for i := range s.seen {
		w := &s.seen[i]
		if !w.mayBeTaken() {
			continue
		}
		id := w.id()
		by := s.taken[id]
		switch {
		case by < 0:
		case w.Header == nil || Taken(s.seen[by].Header, w.Header, w.Live):
			s.Verdicts[i] = TakenUp
		default:
			if s.Doubts == nil {
				s.Doubts = make(map[int]Name)
			}
			s.Doubts[by] = WriterName(id)
		}
	}
}

// findCopies finds segments of one writer. The one that this process writes counts,
// else the one that has the writer's name, else the first.
func (s *Survey) findCopies() {
	type key struct {
		kind segment.Kind
		id   [16]byte
	}
	rank := func(i int) int {
		w := &s.seen[i]
		switch {
		case w.Own:
			return 2
		case w.Name.Kind() == Writer && w.Name.ID() == w.Header.ID:
			return 1
		}
		return 0
	}
	best := make(map[key]int)
	for i := range s.seen {
		w := &s.seen[i]
		if s.Verdicts[i] != Counts || w.Header.ID == [16]byte{} {
			continue // what is in the memory of this process alone has no ID
		}
		k := key{w.Header.Kind, w.Header.ID}
		other, met := best[k]
		switch {
		case !met:
			best[k] = i
		case rank(i) > rank(other):
			s.Verdicts[other], s.Original[other], best[k] = Copied, i, i
		default:
			s.Verdicts[i], s.Original[i] = Copied, other
		}
	}
}

// epochSeen is what is known of an epoch.
type epochSeen struct {
	live  bool
	first int64           // when it first appeared, by the clock
	by    *segment.Header // that says so
}

// epochs returns the epochs of the segments. One has first appeared when the first of
// its segments says so.
func (s *Survey) epochs(clock Clock) map[string]*epochSeen {
	epochs := make(map[string]*epochSeen)
	for i := range s.seen {
		w := &s.seen[i]
		if s.Verdicts[i] != Counts {
			continue
		}
		at := clock.AppearedAt(w.Header, w.Header.EpochFirst)
		e := epochs[w.Header.Epoch]
		if e == nil {
			e = &epochSeen{first: at, by: w.Header}
			epochs[w.Header.Epoch] = e
		}
		if at < e.first {
			e.first, e.by = at, w.Header
		}
		e.live = e.live || w.Live && !w.isArchive()
	}
	return epochs
}

// choose finds the epoch that counts.
func (s *Survey) choose(epochs map[string]*epochSeen, wanted *string, clock Clock) {
	if wanted != nil {
		s.Epoch = *wanted
	} else {
		var best *epochSeen
		for name, e := range epochs {
			if best == nil || compareEpochs(name, e, s.Epoch, best) > 0 {
				s.Epoch, best = name, e
			}
		}
	}
	s.First = clock.Moment()
	if e := epochs[s.Epoch]; e != nil {
		s.First = clock.Inherit(e.by, e.by.EpochFirst)
	}
}

func compareEpochs(a string, x *epochSeen, b string, y *epochSeen) int {
	return cmp.Or(compareBool(a != "", b != ""), compareBool(x.live, y.live), cmp.Compare(x.first, y.first), cmp.Compare(a, b))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// judge finds what becomes of segments of other epochs than the one that counts. An
// epoch that was asked for is not over, whichever epochs appeared since.
func (s *Survey) judge(epochs map[string]*epochSeen, asked bool) {
	counts := epochs[s.Epoch] // nil if it was asked for and nobody has it
	best := -1
	for i := range s.seen {
		if s.Verdicts[i] != Counts {
			continue
		}
		w := &s.seen[i]
		switch e := epochs[w.Header.Epoch]; {
		case w.Header.Epoch == s.Epoch:
			s.count(w)
			if best < 0 || !w.isArchive() && s.isNewer(i, best) {
				best = i
			}
		case w.Header.Epoch == "":
			s.Verdicts[i] = Unnamed
		case s.Epoch != "" && counts != nil && !e.live && (asked || e.first < counts.first):
			s.Verdicts[i] = Over
		default:
			s.Verdicts[i] = Superseded
		}
	}
	if best >= 0 {
		s.Newest = s.seen[best].Header
	}
}

// isNewer reports whether a writer comes before another segment: it lives and the other
// one does not, or it began later.
func (s *Survey) isNewer(i, other int) bool {
	mine, others := s.seen[i].Live, s.seen[other].Live
	return mine && !others || mine == others && (s.seen[other].isArchive() || s.born[i] > s.born[other])
}

// count counts a segment that counts. What is in the memory of this process alone has no ID.
func (s *Survey) count(w *Seen) {
	if by := w.standing(); w.Header.Service != "" && by > s.by {
		s.Service, s.by = w.Header.Service, by
	}
	switch {
	case w.isArchive():
		s.Generation = max(s.Generation, w.Header.Generation)
	case w.Header.ID == [16]byte{}:
	case w.Live:
		s.Live++
	default:
		s.Dead++
	}
}

// place is where the writers of one label run.
type place struct {
	host      string
	namespace string // or the pid, where it is unknown
}

// label gives writers their labels.
func (s *Survey) label() {
	places := make(map[string]map[place]bool) // of live writers, by label
	for i := range s.seen {
		w := &s.seen[i]
		if w.Header == nil || w.isArchive() {
			continue
		}
		s.Labels[i] = w.Header.Process()
		if s.Verdicts[i] != Counts || !w.Live {
			continue
		}
		at := places[s.Labels[i]]
		if at == nil {
			at = make(map[place]bool)
			places[s.Labels[i]] = at
		}
		at[placeOf(w.Header)] = true
	}
	for i := range s.seen {
		w := &s.seen[i]
		if at := places[s.Labels[i]]; s.Verdicts[i] == Counts && w.Live && len(at) > 1 {
			s.Labels[i] += "@" + placeOf(w.Header).among(at)
		}
	}
}

func placeOf(h *segment.Header) place {
	if h.Namespace != 0 {
		return place{h.Host, strconv.FormatUint(h.Namespace, 10)}
	}
	return place{h.Host, strconv.FormatUint(h.PID, 10)}
}

// among returns what tells a place from the others: the host where those all differ,
// else the namespace where those do, else both.
func (p place) among(others map[place]bool) string {
	hosts, namespaces := make(map[string]bool), make(map[string]bool)
	for other := range others {
		hosts[other.host], namespaces[other.namespace] = true, true
	}
	switch len(others) {
	case len(hosts):
		return p.host
	case len(namespaces):
		return p.namespace
	}
	return p.host + "/" + p.namespace
}

// Ended returns how many segments of writers there are, whatever becomes of them, to which
// nobody writes any more: an estimate where [Dir.Survey] has looked at some alone.
func (s *Survey) Ended() (n int) {
	for i := range s.seen {
		if s.seen[i].Name.Kind() == Writer && !s.seen[i].Live {
			n++
		}
	}
	return estimate(n, s.looked, s.writers)
}

// CheckService returns an error if the directory is another service's than the named one,
// of which the caller is, as [Survey.Stranger] finds it. It is nil without a name.
func (s *Survey) CheckService(name string) error {
	if len(name) > segment.MaxName {
		return fmt.Errorf("the name of the service %.80q has %d bytes, of at most %d", name, len(name), segment.MaxName)
	}
	w := s.Stranger(name)
	if w == nil {
		return nil
	}
	what := "a dead writer's segment there"
	switch {
	case w.isArchive():
		what = "the archive there"
	case w.Live:
		what = "a live writer there"
	}
	return fmt.Errorf("it is the directory of the service %q, as %s (%s) says, and not of %q: each service needs a directory of its own", w.Header.Service, what, w.Name, name)
}

// Stranger returns the first segment that says that the directory is another service's
// than the named one, which may be of any epoch: a live writer or the archive, or, where
// none of those is of the named service, what a dead writer left, which the next fold makes
// part of an archive of its service. It is nil if there is none, or without a name.
func (s *Survey) Stranger(name string) (stranger *Seen) {
	if name == "" {
		return nil
	}
	ours := false
	for i := range s.seen {
		w := &s.seen[i]
		if s.Verdicts[i] == Unread || s.Verdicts[i] == TakenUp || w.Header.Service == "" {
			continue
		}
		stands := w.standing() > 1
		switch other := w.Header.Service != name; {
		case other && stands:
			return w
		case other && stranger == nil:
			stranger = w
		}
		ours = ours || stands && w.Header.Service == name
	}
	if ours {
		return nil
	}
	return stranger
}
