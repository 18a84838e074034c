package spool_test

import (
	"slices"
	"strings"
	"testing"

	"telltale/multiprocess/internal/segment"
	"telltale/multiprocess/internal/spool"
)

// now is what the clocks show in these tests.
var now = spool.Clock{Boot: [16]byte{1}, Wall: 1_000_000, Monotonic: 1_000}

// seenWriter returns a writer of an epoch that first appeared at a wall time.
func seenWriter(id byte, epoch string, first int64, live bool) spool.Seen {
	h := &segment.Header{Kind: segment.KindWriter, ID: [16]byte{id}, PID: uint64(id), Epoch: epoch, Start: first}
	h.EpochFirst = segment.Moment{Wall: first}
	return spool.Seen{Name: spool.WriterName(h.ID), Header: h, Live: live}
}

// seenArchive returns an archive that has taken up the writers of the IDs.
func seenArchive(epoch string, start int64, taken ...byte) spool.Seen {
	h := &segment.Header{Kind: segment.KindArchive, ID: [16]byte{0xaa}, Epoch: epoch, Start: start}
	h.EpochFirst = segment.Moment{Wall: start}
	s := spool.Seen{Name: spool.ArchiveName, Header: h, Taken: new(segment.Taken)}
	for _, id := range taken {
		s.Taken.Writers = append(s.Taken.Writers, [16]byte{id})
	}
	return s
}

const (
	counts     = spool.Counts
	unread     = spool.Unread
	absorbed   = spool.TakenUp
	copied     = spool.Copied
	superseded = spool.Superseded
	over       = spool.Over
	unnamed    = spool.Unnamed
)

func TestSurveyChoosesTheEpoch(t *testing.T) {
	wanted := func(epoch string) *string { return &epoch }
	const live, dead = true, false
	for _, c := range []struct {
		name       string
		seen       []spool.Seen
		wanted     *string
		epoch      string
		verdicts   []spool.Verdict
		lives, die int
	}{
		{"nobody", nil, nil, "", nil, 0, 0},
		{"one epoch", []spool.Seen{seenWriter(1, "a", 1, live), seenWriter(2, "a", 2, dead), seenArchive("a", 1)}, nil,
			"a", []spool.Verdict{counts, counts, counts}, 1, 1},
		{"no epoch at all", []spool.Seen{seenWriter(1, "", 1, live), seenArchive("", 1)}, nil,
			"", []spool.Verdict{counts, counts}, 1, 0},
		{"the later of two that live", []spool.Seen{seenWriter(1, "a", 1, live), seenWriter(2, "b", 2, live), seenWriter(3, "a", 1, dead)}, nil,
			"b", []spool.Verdict{superseded, counts, superseded}, 1, 0},
		{"one that lives before a later one that does not", []spool.Seen{seenWriter(1, "a", 1, live), seenWriter(2, "b", 2, dead), seenArchive("b", 2)}, nil,
			"a", []spool.Verdict{counts, superseded, superseded}, 1, 0},
		{"what is over", []spool.Seen{seenWriter(1, "a", 1, dead), seenWriter(2, "b", 2, live), seenArchive("a", 1)}, nil,
			"b", []spool.Verdict{over, counts, over}, 1, 0},
		{"the latest of the dead", []spool.Seen{seenWriter(1, "a", 1, dead), seenWriter(2, "b", 2, dead)}, nil,
			"b", []spool.Verdict{over, counts}, 0, 1},
		{"an archive's alone", []spool.Seen{seenArchive("a", 1)}, nil,
			"a", []spool.Verdict{counts}, 0, 0},
		{"a stranger without one beside an archive", []spool.Seen{seenWriter(1, "", 9, live), seenArchive("a", 1)}, nil,
			"a", []spool.Verdict{unnamed, counts}, 0, 0},
		{"a dead stranger", []spool.Seen{seenWriter(1, "", 9, dead), seenWriter(2, "a", 1, live)}, nil,
			"a", []spool.Verdict{unnamed, counts}, 1, 0},
		{"first appearance, and not the last start", []spool.Seen{
			func() spool.Seen { w := seenWriter(1, "a", 1, live); w.Header.Start = 99; return w }(), seenWriter(2, "b", 2, live)}, nil,
			"b", []spool.Verdict{superseded, counts}, 1, 0},
		{"the earliest word of an epoch", []spool.Seen{seenWriter(1, "a", 5, live), seenWriter(2, "a", 1, dead), seenWriter(3, "b", 2, live)}, nil,
			"b", []spool.Verdict{superseded, superseded, counts}, 1, 0},
		{"one that is asked for", []spool.Seen{seenWriter(1, "a", 1, dead), seenWriter(2, "b", 2, dead), seenWriter(3, "c", 3, live)}, wanted("a"),
			"a", []spool.Verdict{counts, over, superseded}, 0, 1},
		{"one that nobody has", []spool.Seen{seenWriter(1, "a", 1, dead), seenWriter(2, "", 1, dead)}, wanted("b"),
			"b", []spool.Verdict{superseded, unnamed}, 0, 0},
		{"none is asked for", []spool.Seen{seenWriter(1, "a", 1, dead), seenWriter(2, "", 2, dead)}, wanted(""),
			"", []spool.Verdict{superseded, counts}, 0, 1},
		{"an absorbed writer has no say", []spool.Seen{seenWriter(1, "b", 2, dead), seenArchive("a", 3, 1)}, nil,
			"a", []spool.Verdict{absorbed, counts}, 0, 0},
		{"nor has one that cannot be read", []spool.Seen{{Name: spool.WriterName([16]byte{7}), Live: true}, seenWriter(2, "a", 1, dead)}, nil,
			"a", []spool.Verdict{unread, counts}, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // and in the other order
				s := spool.NewSurvey(c.seen, c.wanted, now)
				if s.Epoch != c.epoch || !slices.Equal(s.Verdicts, c.verdicts) || s.Live != c.lives || s.Dead != c.die {
					t.Errorf("epoch %q, verdicts %d, %d live, %d dead; want %q, %d, %d, %d", s.Epoch, s.Verdicts, s.Live, s.Dead, c.epoch, c.verdicts, c.lives, c.die)
				}
				slices.Reverse(c.seen)
				slices.Reverse(c.verdicts)
			}
		})
	}
}

// Moments of one boot are compared by the clock that nobody sets, others by the wall
// clock, the future counted as now.
func TestSurveyMindsClocks(t *testing.T) {
	here, before := now.Boot, [16]byte{2}
	for _, c := range []struct {
		name   string
		boots  [2][16]byte
		firsts [2]segment.Moment
		want   string
	}{
		{"set back in between", [2][16]byte{here, here}, [2]segment.Moment{{Wall: 900_000, Boot: 1}, {Wall: 1, Boot: 2}}, "b"},
		{"ahead at first", [2][16]byte{here, here}, [2]segment.Moment{{Wall: 9_000_000, Boot: 1}, {Wall: 2, Boot: 900}}, "b"},
		{"another boot's", [2][16]byte{before, here}, [2]segment.Moment{{Wall: 900_000, Boot: 990}, {Wall: 1, Boot: 990}}, "b"},
		{"another boot's by its wall clock", [2][16]byte{here, before}, [2]segment.Moment{{Wall: 1, Boot: 1}, {Wall: 999_500, Boot: 990}}, "b"},
		{"two of other boots", [2][16]byte{before, {3}}, [2]segment.Moment{{Wall: 900, Boot: 2}, {Wall: 901, Boot: 1}}, "b"},
		{"two of the future", [2][16]byte{before, {3}}, [2]segment.Moment{{Wall: 9_000_000}, {Wall: 2_000_000}}, "b"}, // equal: by name
		{"unknown clocks", [2][16]byte{here, here}, [2]segment.Moment{{Wall: 5}, {Wall: 6}}, "b"},
	} {
		a, b := seenWriter(1, "a", 1, true), seenWriter(2, "b", 1, true)
		a.Header.Boot, a.Header.EpochFirst = c.boots[0], c.firsts[0]
		b.Header.Boot, b.Header.EpochFirst = c.boots[1], c.firsts[1]
		if got := spool.NewSurvey([]spool.Seen{a, b}, nil, now).Epoch; got != c.want {
			t.Errorf("%s: epoch %q, want %q", c.name, got, c.want)
		}
	}
	a, b := seenWriter(1, "a", 900, true), seenWriter(2, "a", 1, true)
	a.Header.Boot, b.Header.Boot = here, here
	a.Header.Born, b.Header.Born = 10, 20
	if s := spool.NewSurvey([]spool.Seen{a, b}, nil, now); s.Born(1) <= s.Born(0) {
		t.Error("the writer that was born last is not the newest")
	}
}

func TestSurveyFindsCopies(t *testing.T) {
	one, link := seenWriter(1, "", 1, false), seenWriter(1, "", 1, false)
	link.Name = spool.Parse("somewhere.seg")
	own := seenWriter(2, "", 1, true)
	own.Own = true
	file := seenWriter(2, "", 1, true)
	heap := seenWriter(0, "", 1, true)
	heap.Own = true
	seen := []spool.Seen{link, one, file, own, heap, heap, link}
	s := spool.NewSurvey(seen, nil, now)
	if want := []spool.Verdict{copied, counts, copied, counts, counts, counts, copied}; !slices.Equal(s.Verdicts, want) {
		t.Errorf("verdicts %d, want %d", s.Verdicts, want)
	}
	if want := []int{1, 1, 3, 3, 4, 5, 1}; !slices.Equal(s.Original, want) {
		t.Errorf("originals %d, want %d", s.Original, want)
	}
}

// What an archive says that it has taken up counts while its writer lives, and if it
// is younger.
func TestSurveyDoubtsArchives(t *testing.T) {
	dead, live, young, gone := seenWriter(1, "", 1, false), seenWriter(2, "", 1, true), seenWriter(3, "", 9, false), seenWriter(4, "", 1, true)
	gone.Header = nil
	mine := seenWriter(5, "", 1, true)
	mine.Own = true
	for _, c := range []struct {
		name   string
		w      spool.Seen
		want   spool.Verdict
		doubts bool
	}{{"dead", dead, absorbed, false}, {"live", live, counts, true}, {"younger", young, counts, true}, {"not to be read", gone, absorbed, false}, {"this process's", mine, counts, false}} {
		s := spool.NewSurvey([]spool.Seen{c.w, seenArchive("", 5, 1, 2, 3, 4, 5)}, nil, now)
		if s.Verdicts[0] != c.want || (len(s.Doubts) > 0) != c.doubts {
			t.Errorf("%s: verdict %d, doubts %v", c.name, s.Verdicts[0], s.Doubts)
		}
	}
	aside := spool.Parse("counter_1~0123456789abcdef.db")
	archive := seenArchive("", 5)
	archive.Taken.Aside = []segment.Aside{{Name: aside.String()}}
	if by, ok := spool.NewSurvey([]spool.Seen{dead, archive}, nil, now).TakenBy(aside); !ok || by != 1 {
		t.Errorf("%s is taken up by %d, %v", aside, by, ok)
	}
}

func TestSurveyTellsWritersApart(t *testing.T) {
	writer := func(id byte, name, host string, namespace, pid uint64, live bool) spool.Seen {
		w := seenWriter(id, "", int64(id), live)
		w.Header.Writer, w.Header.Host, w.Header.Namespace, w.Header.PID = name, host, namespace, pid
		return w
	}
	for _, c := range []struct {
		name string
		seen []spool.Seen
		want string
	}{
		{"alone", []spool.Seen{writer(1, "w", "h", 4, 1, true), writer(2, "", "h", 4, 7, true)}, "w 7"},
		{"two hosts", []spool.Seen{writer(1, "", "a", 4, 1, true), writer(2, "", "b", 4, 1, true)}, "1@a 1@b"},
		{"two namespaces of a host", []spool.Seen{writer(1, "w", "a", 4, 1, true), writer(2, "w", "a", 5, 1, true)}, "w@4 w@5"},
		{"unknown namespaces", []spool.Seen{writer(1, "w", "a", 0, 10, true), writer(2, "w", "a", 0, 11, true)}, "w@10 w@11"},
		{"all of it", []spool.Seen{writer(1, "w", "a", 4, 1, true), writer(2, "w", "a", 5, 1, true), writer(3, "w", "b", 4, 1, true)}, "w@a/4 w@a/5 w@b/4"},
		{"one after the other", []spool.Seen{writer(1, "w", "a", 4, 1, false), writer(2, "w", "b", 5, 9, true)}, "w w"},
		{"the same place", []spool.Seen{writer(1, "w", "a", 4, 1, true), writer(2, "w", "a", 4, 2, true)}, "w w"},
		{"an archive", []spool.Seen{seenArchive("", 1)}, ""},
	} {
		if got := strings.Join(spool.NewSurvey(c.seen, nil, now).Labels, " "); got != c.want {
			t.Errorf("%s: labels %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSurveyChecksTheService(t *testing.T) {
	service := func(s spool.Seen, name string) spool.Seen { s.Header.Service = name; return s }
	for _, c := range []struct {
		name  string
		seen  []spool.Seen
		wrong string
	}{
		{"nobody", nil, ""},
		{"nobody said", []spool.Seen{seenWriter(1, "", 1, true), seenArchive("", 1)}, ""},
		{"the same", []spool.Seen{service(seenWriter(1, "", 1, true), "shop"), service(seenArchive("", 1), "shop")}, ""},
		{"a dead writer", []spool.Seen{service(seenWriter(1, "", 1, false), "bank")}, "dead writer"},
		{"a dead writer of another epoch", []spool.Seen{service(seenWriter(1, "v1", 1, false), "bank"), seenWriter(2, "v2", 2, true)}, "dead writer"},
		{"a dead writer beside one of ours", []spool.Seen{service(seenWriter(1, "", 1, false), "bank"), service(seenWriter(2, "", 1, true), "shop")}, ""},
		{"a dead writer beside our archive", []spool.Seen{service(seenWriter(1, "", 1, false), "bank"), service(seenArchive("", 1), "shop")}, ""},
		{"two dead writers", []spool.Seen{service(seenWriter(1, "", 1, false), "shop"), service(seenWriter(2, "", 1, false), "bank")}, "dead writer"},
		{"a live writer", []spool.Seen{service(seenWriter(1, "", 1, true), "bank")}, "live writer"},
		{"an archive", []spool.Seen{service(seenArchive("", 1), "bank")}, "archive"},
	} {
		err := spool.NewSurvey(c.seen, nil, now).CheckService("shop")
		if (err != nil) != (c.wrong != "") || err != nil && (!strings.Contains(err.Error(), c.wrong) || !strings.Contains(err.Error(), `"bank"`) || !strings.Contains(err.Error(), `"shop"`)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
