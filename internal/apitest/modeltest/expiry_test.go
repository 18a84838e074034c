package modeltest

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/model"
)

var expirySeed = flag.Uint64("model.expiryseed", 0, "the only seed of TestModelOfExpiry; 0 for many")

// When exactly a series leaves depends on who looked at it when. So this model does not
// foresee pages: it checks that each page can be explained by what was counted so far.
//
//   - What a life of a series shows is all that was counted in it since it began, which
//     is when it was created or brought back by an update; each update is in one life.
//   - A life ends by removal, or when nothing was counted for the time of expiry.
//   - A series is on each page until that time is over, and on none once collections
//     have seen it unchanged for longer.

const (
	expiryTime = 8 * time.Second
	tick       = time.Second // each step of a script takes one, so that looks are always due
)

// tracked is what the model knows of a series: what was counted, and when.
type tracked struct {
	label   string
	times   []time.Time // of updates, and of lookups that may have created it
	amounts []float64
	kept    bool      // by Init
	since   time.Time // nothing before that counts: the series was removed then
	seenAt  time.Time // of the page that first saw the last update
	last    time.Time // of the last update; a lookup is none, nor sure to create the series
}

// expiryWorld is a family of counters, its model and the handles that a script holds.
type expiryWorld struct {
	vec     *telltale.CounterVec
	random  *rand.Rand
	series  map[string]*tracked
	handles []held
	script  []string
	fail    func(format string, args ...any)
}

type held struct {
	label  string
	handle *telltale.Counter
	ended  bool // its series was removed, and so is it
}

func (w *expiryWorld) of(label string) *tracked {
	s := w.series[label]
	if s == nil {
		s = &tracked{label: label}
		w.series[label] = s
	}
	return s
}

func (s *tracked) note(v float64) {
	now := time.Now()
	s.times, s.amounts, s.seenAt = append(s.times, now), append(s.amounts, v), time.Time{}
	if v > 0 {
		s.last = now
	}
}

// there reports whether the series must be there: it was used less than the time of
// expiry ago, or is kept.
func (s *tracked) there(now time.Time) bool {
	return s.kept || s.last.After(s.since) && now.Sub(s.last) < expiryTime
}

// end forgets a series and ends handles of it that are sure to have been of the series
// that was there.
func (w *expiryWorld) end(s *tracked, there bool) {
	s.since, s.kept = time.Now(), false
	for i := range w.handles {
		if w.handles[i].label == s.label && there {
			w.handles[i].ended = true
		}
	}
}

func (w *expiryWorld) step() {
	time.Sleep(tick)
	label := string(rune('a' + w.random.IntN(5)))
	note := func(format string, args ...any) { w.script = append(w.script, fmt.Sprintf(format, args...)) }
	v := float64(1 + w.random.IntN(3))
	if w.random.IntN(3) == 0 {
		v += 0.5
	}
	switch n := w.random.IntN(100); {
	case n < 20:
		note("with %s add %v", label, v)
		w.vec.With(label).Add(v)
		w.of(label).note(v)
	case n < 30:
		note("hold %s", label)
		w.handles = append(w.handles, held{label: label, handle: w.vec.With(label)})
		w.of(label).note(0)
	case n < 55 && len(w.handles) > 0:
		h := w.handles[w.random.IntN(len(w.handles))]
		note("held %s add %v", h.label, v)
		if h.handle.Add(v); !h.ended {
			w.of(h.label).note(v)
		}
	case n < 60:
		note("init %s", label)
		if err := w.vec.Init([]string{label}); err != nil {
			w.fail("%v", err)
		}
		w.of(label).note(0)
		w.of(label).kept = true
	case n < 65:
		s := w.of(label)
		must := s.there(time.Now())
		was := w.vec.Remove(label)
		note("remove %s: %v", label, was)
		if must && !was {
			w.fail("%s cannot be removed", label)
		}
		if was {
			w.end(s, true)
			w.drop(label) // handles of earlier lives may go on where the model cannot know
		}
	case n < 67:
		note("clear")
		w.vec.Clear()
		w.endAll()
	case n < 69:
		note("replace by %s", label)
		var h *telltale.Counter
		w.vec.Replace(func(next *telltale.CounterVec) {
			h = next.With(label)
			h.Add(v)
		})
		w.endAll()
		time.Sleep(tick)
		w.of(label).note(0)
		w.of(label).times[len(w.of(label).times)-1] = time.Now().Add(-tick)
		w.of(label).amounts[len(w.of(label).amounts)-1] = v
		w.of(label).since = time.Now().Add(-tick - 1)
		w.of(label).last = time.Now().Add(-tick)
		w.handles = append(w.handles, held{label: label, handle: h})
	case n < 80:
		pause := time.Duration(w.random.IntN(12)) * tick
		note("wait %s", pause)
		time.Sleep(pause)
	default:
		note("scrape")
		w.scrape()
	}
}

// drop forgets the handles of a label.
func (w *expiryWorld) drop(label string) {
	w.handles = slices.DeleteFunc(w.handles, func(h held) bool { return h.label == label })
}

// endAll ends all handles, those of series that have left too.
func (w *expiryWorld) endAll() {
	for _, s := range w.series {
		w.end(s, true)
	}
}

func (w *expiryWorld) scrape() {
	now := time.Now()
	shown := make(map[string]bool)
	err := w.vec.Collect(context.Background(), func(f *model.Family) error {
		return f.Visit(new(model.Point), func(p *model.Point) error {
			label, _ := p.Labels.Get("l")
			if shown[label] {
				w.fail("%s is on the page twice", label)
			}
			shown[label] = true
			w.explain(w.of(label), p)
			return nil
		})
	})
	if err != nil {
		w.fail("%v", err)
	}
	for label, s := range w.series {
		switch {
		case s.there(now) && !shown[label]:
			w.fail("%s is not on the page, though it was updated %s ago", label, now.Sub(s.last))
		case shown[label] && !s.kept && !s.seenAt.IsZero() && now.Sub(s.seenAt) >= expiryTime:
			w.fail("%s is on the page, though a page has seen it as it is %s ago", label, now.Sub(s.seenAt))
		}
		if s.seenAt.IsZero() {
			s.seenAt = now
		}
	}
}

// explain checks what a page shows of a series.
func (w *expiryWorld) explain(s *tracked, p *model.Point) {
	began := p.Created.Time()
	if !began.After(s.since) {
		w.fail("%s is on the page since %s, though it was removed at %s", s.label, began, s.since)
	}
	sum, first := 0.0, -1
	var before time.Time // of the last update before
	for i, at := range s.times {
		if at.Before(began) || !at.After(s.since) {
			if s.amounts[i] > 0 && at.After(s.since) {
				before = at
			}
			continue
		}
		if first < 0 {
			first = i
		}
		sum += s.amounts[i]
	}
	switch {
	case first < 0 || !s.times[first].Equal(began):
		w.fail("%s is there since %s, when nobody used it", s.label, began)
	case !before.IsZero() && began.Sub(before) < expiryTime:
		w.fail("%s began anew %s after it was updated", s.label, began.Sub(before))
	case sum != p.Value:
		w.fail("%s shows %v of the life since %s, in which %v was counted", s.label, p.Value, began, sum)
	}
}

// Any mix of updates, old and new handles, waits, removals and pages loses nothing and
// shows nothing twice.
func TestModelOfExpiry(t *testing.T) {
	seeds := []uint64{*expirySeed}
	if *expirySeed == 0 {
		seeds = nil
		for range 400 {
			seeds = append(seeds, rand.Uint64())
		}
		if testing.Short() || raceEnabled {
			seeds = seeds[:60]
		}
	}
	for _, seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			w := &expiryWorld{random: rand.New(rand.NewPCG(seed, 0)), series: make(map[string]*tracked)}
			w.fail = func(format string, args ...any) {
				t.Helper()
				t.Fatalf("-model.expiryseed %d: %s, after\n%s", seed, fmt.Sprintf(format, args...), strings.Join(w.script, "\n"))
			}
			w.vec = telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.Unregistered(), telltale.WithIdleExpiry(expiryTime)))
			for range 150 {
				w.step()
			}
			w.scrape()
		})
		if t.Failed() {
			return
		}
	}
}
