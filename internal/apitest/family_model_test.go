package apitest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"telltale"
	"telltale/model"
)

// modelFamily is a family of counters with a simple model of it: the series,
// their counts, and the pages that are being written.
type modelFamily struct {
	t      *testing.T
	random *rand.Rand
	v      *telltale.CounterVec
	values map[string]float64 // by label text
	depth  int                // depth of pages within pages
	stay   []map[string]bool  // of each page, the series that were there all the time
}

// labels returns label values, a few of them to be escaped.
func (m *modelFamily) labels() (kind, n, text string) {
	kind, n = fmt.Sprint(m.random.IntN(3)), fmt.Sprint(m.random.IntN(40))
	if m.random.IntN(8) == 0 {
		n = "\"\n" + n
	}
	return kind, n, string(model.AppendLabel(model.AppendLabel(nil, "kind", kind), "n", n))
}

// gone records that a series was removed.
func (m *modelFamily) gone(text string) {
	delete(m.values, text)
	for _, page := range m.stay {
		delete(page, text)
	}
}

func (m *modelFamily) step() {
	kind, n, text := m.labels()
	switch m.random.IntN(20) {
	case 0:
		_, was := m.values[text]
		if m.v.Remove(kind, n) != was {
			m.t.Errorf("Remove of {%s} returns %t", text, !was)
		}
		m.gone(text)
	case 1:
		if m.random.IntN(10) > 0 {
			return
		}
		removed := m.v.RemoveMatching(map[string]string{"kind": kind})
		for text := range maps.Clone(m.values) {
			if strings.HasPrefix(text, string(model.AppendLabel(nil, "kind", kind))) {
				m.gone(text)
				removed--
			}
		}
		if removed != 0 {
			m.t.Errorf("RemoveMatching removes %d series too many", removed)
		}
	case 2:
		if m.random.IntN(20) > 0 {
			return
		}
		m.v.Clear()
		for text := range maps.Clone(m.values) {
			m.gone(text)
		}
	case 3:
		if m.random.IntN(10) == 0 {
			m.replace()
		}
	case 4:
		m.page()
	default:
		c := m.v.With(kind, n)
		c.Add(float64(len(n)))
		m.values[text] += float64(len(n))
		if c.Value() != m.values[text] {
			m.t.Errorf("{%s} is at %v, want %v", text, c.Value(), m.values[text])
		}
	}
	if m.v.Len() != len(m.values) {
		m.t.Errorf("Len() = %d, want %d", m.v.Len(), len(m.values))
	}
}

// replace fills in some series, and counts in the family before and after.
func (m *modelFamily) replace() {
	handles := make(map[string]*telltale.Counter)
	m.v.Replace(func(next *telltale.CounterVec) {
		for range m.random.IntN(60) {
			kind, n, text := m.labels()
			handles[text] = next.With(kind, n)
		}
		for _, c := range handles {
			c.Inc()
		}
	})
	for text := range maps.Clone(m.values) {
		m.gone(text)
	}
	for text, c := range handles {
		c.Add(2)
		m.values[text] = 3
	}
}

// page reads the family while it changes. Pages that began before a Replace or a
// Clear have the series from before.
func (m *modelFamily) page() {
	if m.depth == 3 {
		return
	}
	stay := make(map[string]bool)
	for text := range m.values {
		stay[text] = true
	}
	m.depth, m.stay = m.depth+1, append(m.stay, stay)
	seen := make(map[string]bool)
	err := m.v.Collect(m.t.Context(), func(f *model.Family) error {
		return f.Visit(new(model.Point), func(p *model.Point) error {
			text := strings.Clone(p.Labels.Text())
			if seen[text] {
				m.t.Errorf("{%s} is on a page twice", text)
			}
			seen[text] = true
			if want := m.values[text]; stay[text] && p.Value != want {
				m.t.Errorf("{%s} is at %v on a page, want %v", text, p.Value, want)
			}
			if m.random.IntN(4) == 0 {
				m.step()
			}
			return nil
		})
	})
	if err != nil {
		m.t.Error(err)
	}
	for text := range stay {
		if !seen[text] {
			m.t.Errorf("{%s} was there all the time and is not on the page", text)
		}
	}
	m.depth, m.stay = m.depth-1, slices.Delete(m.stay, m.depth-1, m.depth)
}

// Whatever happens to a family while pages of it are written, each page has
// every series that stayed throughout, with its value, and none twice.
func TestFamilyAgainstModel(t *testing.T) {
	rounds := 100
	if testing.Short() || raceEnabled {
		rounds = 10
	}
	for range rounds {
		seed := rand.Uint64()
		m := &modelFamily{
			t: t, random: rand.New(rand.NewPCG(seed, 0)), values: make(map[string]float64),
			v: telltale.Must(telltale.NewCounterVec("c", "", []string{"kind", "n"}, telltale.Unregistered())),
		}
		for range 1000 {
			m.step()
		}
		_, values := seriesOf(t, m.v)
		if !maps.Equal(values, m.values) {
			t.Errorf("in the end the family is %v, want %v", values, m.values)
		}
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}
