package modeltest

import (
	"fmt"
	"maps"
	"strconv"

	"telltale"
)

// nativeSchema is the schema of native histograms, whose bounds are powers of
// two.
const nativeSchema = 0

// instrument is an instrument of any kind, with or without labels.
type instrument interface {
	collector() telltale.Collector
	with(via string, values []string) handle
	change(o op) string
	replace(via string, fill func(next instrument))
}

// handle is a series of an instrument.
type handle interface{ update(o op) string }

type maker struct {
	name   string
	labels []string
	typed  bool
}

// made are the constructors of a kind of instrument, called for one name.
type made[H any] struct {
	plain func() (*H, error)
	vec   func() (*telltale.Vec[H], error)
	one   func() (*telltale.Of[one, H], error)
	two   func() (*telltale.Of[two, H], error)
}

// ways are all ways to the series of one instrument.
type ways[H any] struct {
	labels []string
	set    func(h *H, o op) string
	plain  *H
	vec    *telltale.Vec[H]
	one    *telltale.Of[one, H]
	two    *telltale.Of[two, H]
}

type handleOf[H any] struct {
	h   *H
	set func(h *H, o op) string
}

func (h handleOf[H]) update(o op) string { return h.set(h.h, o) }

// finish calls the constructors that the labels ask for.
func finish[H any](m maker, set func(h *H, o op) string, by made[H]) (instrument, error) {
	w := &ways[H]{labels: m.labels, set: set}
	var err error
	if len(m.labels) == 0 {
		w.plain, err = by.plain()
		return w, err
	}
	if w.vec, err = by.vec(); err != nil || !m.typed {
		return w, err
	}
	if len(m.labels) == 1 {
		w.one, err = by.one()
	} else {
		w.two, err = by.two()
	}
	return w, err
}

func (w *ways[H]) collector() telltale.Collector {
	if w.plain != nil {
		return any(w.plain).(telltale.Collector)
	}
	return w.vec
}

func (w *ways[H]) byName(values []string) map[string]string {
	labels := make(map[string]string)
	for i, v := range values {
		labels[w.labels[i]] = v
	}
	return labels
}

// curried returns the vec with its first label fixed.
func (w *ways[H]) curried(value string) *telltale.Vec[H] {
	return telltale.Must(w.vec.Curry(map[string]string{w.labels[0]: value}))
}

// with finds a series in the given way, if the instrument has that way.
func (w *ways[H]) with(via string, values []string) handle {
	right := len(values) == len(w.labels)
	var h *H
	switch {
	case w.plain != nil && right:
		h = w.plain
	case w.plain != nil:
		return detached{}
	case via == "name" && right:
		h = w.vec.WithLabels(w.byName(values))
	case via == "curry" && right:
		h = w.curried(values[0]).With(values[1:]...)
	case via == "type" && right && w.one != nil:
		h = w.one.With(one{values[0]})
	case via == "type" && right && w.two != nil:
		h = w.two.With(two{values[0], values[1]})
	default:
		h = w.vec.With(values...)
	}
	if !right {
		return detached{handleOf[H]{h, w.set}}
	}
	return handleOf[H]{h, w.set}
}

// detached is a handle of no series.
type detached struct{ handle }

func (d detached) update(o op) string {
	d.handle.update(o)
	return "detached"
}

func (w *ways[H]) change(o op) string {
	values := o.plain(1)
	right := len(values) == len(w.labels)
	switch o.verb {
	case "remove":
		switch via := o.opt("via"); {
		case via == "curry" && right:
			return strconv.FormatBool(w.curried(values[0]).Remove(values[1:]...))
		case via == "type" && right && w.one != nil:
			return strconv.FormatBool(w.one.Remove(one{values[0]}))
		case via == "type" && right && w.two != nil:
			return strconv.FormatBool(w.two.Remove(two{values[0], values[1]}))
		}
		return strconv.FormatBool(w.vec.Remove(values...))
	case "match":
		labels := make(map[string]string)
		for _, name := range []string{"a", "b"} {
			if o.has(name) {
				labels[name] = o.opt(name)
			}
		}
		switch {
		case o.opt("via") == "type" && w.one != nil:
			return strconv.Itoa(w.one.RemoveMatching(labels))
		case o.opt("via") == "type" && w.two != nil:
			return strconv.Itoa(w.two.RemoveMatching(labels))
		}
		return strconv.Itoa(w.vec.RemoveMatching(labels))
	case "clear":
		w.vec.Clear()
	case "init":
		switch via := o.opt("via"); {
		case via == "type" && right && w.one != nil:
			w.one.Init(one{values[0]})
		case via == "type" && right && w.two != nil:
			w.two.Init(two{values[0], values[1]})
		default:
			return answer(w.vec.Init(values))
		}
	case "fill":
		for _, values := range o.rows(len(w.labels)) {
			w.with(o.opt("via"), values)
		}
	case "drain":
		n := 0
		for _, values := range o.rows(len(w.labels)) {
			if w.vec.Remove(values...) {
				n++
			}
		}
		return strconv.Itoa(n)
	case "len":
		return strconv.Itoa(w.vec.Len())
	}
	return fine
}

func (w *ways[H]) replace(via string, fill func(next instrument)) {
	switch {
	case via == "type" && w.one != nil:
		w.one.Replace(func(next *telltale.Of[one, H]) {
			fill(&only[one, H]{next, w, func(v []string) one { return one{v[0]} }})
		})
	case via == "type" && w.two != nil:
		w.two.Replace(func(next *telltale.Of[two, H]) {
			fill(&only[two, H]{next, w, func(v []string) two { return two{v[0], v[1]} }})
		})
	default:
		w.vec.Replace(func(next *telltale.Vec[H]) { fill(&ways[H]{labels: w.labels, set: w.set, vec: next}) })
	}
}

// only is an instrument whose labels are given by a struct alone, such as the
// one that Replace of a typed instrument fills in.
type only[L comparable, H any] struct {
	of   *telltale.Of[L, H]
	ways *ways[H]
	row  func(values []string) L
}

func (w *only[L, H]) collector() telltale.Collector { return w.of }

func (w *only[L, H]) with(_ string, values []string) handle {
	return handleOf[H]{w.of.With(w.row(values)), w.ways.set}
}

func (w *only[L, H]) change(o op) string {
	switch o.verb {
	case "remove":
		return strconv.FormatBool(w.of.Remove(w.row(o.plain(1))))
	case "match":
		labels := make(map[string]string)
		for _, name := range []string{"a", "b"} {
			if o.has(name) {
				labels[name] = o.opt(name)
			}
		}
		return strconv.Itoa(w.of.RemoveMatching(labels))
	case "clear":
		w.of.Clear()
	case "init":
		w.of.Init(w.row(o.plain(1)))
	case "fill":
		for _, values := range o.rows(len(w.ways.labels)) {
			w.with("", values)
		}
	case "drain":
		n := 0
		for _, values := range o.rows(len(w.ways.labels)) {
			if w.of.Remove(w.row(values)) {
				n++
			}
		}
		return strconv.Itoa(n)
	case "len":
		return strconv.Itoa(w.of.Len())
	}
	return fine
}

func (w *only[L, H]) replace(_ string, fill func(next instrument)) {
	w.of.Replace(func(next *telltale.Of[L, H]) { fill(&only[L, H]{next, w.ways, w.row}) })
}

// refuse does the operation of each argument of an update, and returns refused
// if one was refused.
func refuse(o op, each func(what, arg string, v float64) error) string {
	for _, arg := range o.args {
		if what, value, ok := named(arg); ok {
			if err := each(what, unquote(value), o.number(what)); err != nil {
				return refused
			}
		}
	}
	return ""
}

func updateCounter(c *telltale.Counter, o op) string {
	refusal := refuse(o, func(what, _ string, v float64) error {
		switch {
		case what == "add" && o.has("exemplar"):
			return c.AddWithExemplar(v, map[string]string{"id": o.opt("exemplar")})
		case what == "add" && v == 1:
			c.Inc()
		case what == "add":
			c.Add(v)
		case what == "reset":
			c.Reset()
		}
		return nil
	})
	if refusal != "" {
		return refusal
	}
	return number(c.Value())
}

func updateGauge(g *telltale.Gauge, o op) (says string) {
	refuse(o, func(what, arg string, v float64) error {
		switch what {
		case "set":
			g.Set(v)
		case "add":
			g.Add(v)
		case "function":
			switch arg {
			case "":
				g.SetFunc(nil)
			case "panic":
				g.SetFunc(func() float64 { panic("at the disco") })
			default:
				g.SetFunc(func() float64 { return v })
			}
		}
		return nil
	})
	defer func() {
		if recover() != nil {
			says = "panic"
		}
	}()
	return number(g.Value())
}

func updateHistogram(h *telltale.Histogram, o op) string {
	refuse(o, func(what, _ string, v float64) error {
		switch {
		case what == "observe" && o.has("exemplar"):
			return h.ObserveWithExemplar(v, map[string]string{"id": o.opt("exemplar")})
		case what == "observe":
			h.Observe(v)
		}
		return nil
	})
	return fmt.Sprintf("%d %s", h.Count(), number(h.Sum()))
}

func updateSummary(m *telltale.Summary, o op) string {
	refuse(o, func(what, _ string, v float64) error {
		if what == "observe" {
			m.Observe(v)
		}
		return nil
	})
	return fmt.Sprintf("%d %s", m.Count(), number(m.Sum()))
}

func updateInfo(i *telltale.Info, o op) string {
	refusal := refuse(o, func(what, _ string, _ float64) error {
		if what == "set" {
			return i.Set(o.pairs(what))
		}
		return nil
	})
	if refusal != "" {
		return refusal
	}
	value := maps.Clone(i.Value())
	if value == nil {
		value = map[string]string{}
	}
	return fmt.Sprint(value)
}

func updateEnum(e *telltale.Enum, o op) string {
	refusal := refuse(o, func(what, arg string, _ float64) error {
		if what == "set" {
			return e.Set(arg)
		}
		return nil
	})
	if refusal != "" {
		return refusal
	}
	return e.Value()
}
