package modeltest

import (
	"fmt"
	"slices"
	"strings"

	"telltale/model"
)

// world is the model: the expected state of everything that a script has made.
type world struct {
	objects map[string]any // *registry, *family, *custom, *view, *callback, by name
	handles map[string]*series
	next    []*family // what Replace fills in, the innermost last
}

func newWorld() *world {
	return &world{objects: make(map[string]any), handles: make(map[string]*series)}
}

// A collector of the model is a *registry, *family, *custom, *callback or *view.
type registry struct {
	name    string
	entries []*entry
	target  map[string]string
	faults  tally
	total   int // how many series its instruments may have, 0 for any number
}

// entry is a registered collector with the names that it claims.
type entry struct {
	of      any
	claims  map[string]bool
	literal map[string]bool // sample names whose base name belongs to another family of the collector
}

// tally counts faults by reason, between two bounds if the library may do
// either.
type tally map[string]bounds

type bounds struct{ least, most uint64 }

func (t tally) add(reason string, least, most uint64) {
	b := t[reason]
	t[reason] = bounds{b.least + least, b.most + most}
}

// family is an instrument, or the family that Replace fills in for one.
type family struct {
	*definition
	series   []*series
	detached *series // what callers have who cannot have a series of their own
}

type definition struct {
	name, kind string
	labels     []string
	constant   string
	key        string      // equal for equal definitions
	account    *registry   // the registry that counts misuse; may be nil
	functions  bool        // a series has or had a function
	limit      int         // how many series it may have, 0 for any number
	sets       [2][]string // the declared values of labels, nil if there are none
	refusals   int         // calls that found no room for a series
	whole      *family     // the one that Replace does not fill in
	home       *registry   // the registry that it was made for; may be nil
}

// series is one series of a family.
type series struct {
	of       *definition
	values   []string // as on the page
	value    float64
	observed []float64
	info     map[string]string
	state    string
	function string            // a number or "panic"; "" for none
	exemplar map[int]*exemplar // by bucket
}

type exemplar struct {
	labels string
	value  float64
}

// custom is a custom collector.
type custom struct {
	families  []line
	described bool
	fails     string // error, panic, nil or nothing
	after     int    // families
}

// line is one family of a custom collector and its samples.
type line struct {
	name, kind string
	samples    []sample
}

type sample struct {
	label string // the value of label "b", none if it is empty
	value float64
}

// callback is a function that reports.
type callback struct {
	name, kind string
	value      string // a number, error or panic
}

type view struct {
	kind   string // labelled, prefixed, restricted, merged
	of     []any
	labels map[string]string
	prefix string
	names  map[string]bool
}

var states = []string{"off", "on", "broken"}

// kinds are the kinds of instruments by the type that their family has.
var kinds = map[string]string{
	"counter": "counter", "gauge": "gauge", "histogram": "histogram", "native": "histogram", "both": "histogram",
	"summary": "summary", "quantiles": "summary", "info": "info", "enum": "stateset",
}

var buckets = []float64{1, 2, 4}

// declared are the values of the label a where they are declared.
var declared = []string{"x", "y", "5"}

// declaredToo are those of the label b where all combinations exist from the start.
var declaredToo = []string{"w", "x"}

// suffixes are those of the samples that a type can have.
var suffixes = map[string][]string{
	"counter": {"_total", "_created"}, "gauge": {""}, "histogram": {"_created", "_bucket", "_count", "_sum"},
	"summary": {"", "_created", "_count", "_sum"}, "info": {"_info"}, "stateset": {""},
}

const refused, duplicate, fine = "error", "duplicate", "ok"

// do does an operation and returns the answer that the library must give. It
// reports whether the operation is possible at all: it is not if it needs
// something that was never made.
func (w *world) do(o op) (answer string, can bool) {
	switch o.verb {
	case "registry":
		if w.objects[o.on()] != nil {
			return "", false
		}
		w.objects[o.on()] = &registry{name: o.on(), faults: make(tally), total: int(o.number("total"))}
		return fine, true
	case "make":
		return w.make(o)
	case "collector":
		return w.custom(o)
	case "callback":
		return w.callback(o)
	case "view":
		return w.view(o)
	case "register", "unregister":
		r, ok := w.objects[o.on()].(*registry)
		c := w.objects[o.arg(1)]
		if !ok || c == nil {
			return "", false
		}
		if o.verb == "register" {
			return r.register(c), true
		}
		return r.unregister(c), true
	case "target":
		r, ok := w.objects[o.on()].(*registry)
		if !ok {
			return "", false
		}
		r.target = o.pairs("set")
		return fine, true
	case "hold", "up":
		return w.update(o)
	case "remove", "match", "clear", "init", "len", "fill", "drain":
		f, ok := w.family(o.on())
		byValues := o.verb == "remove" || o.verb == "init"
		if !ok || len(f.labels) == 0 || byValues && !f.takes(o.on(), o.plain(1)) {
			return "", false
		}
		return f.change(o), true
	}
	return "", false
}

// play does an operation and those within it, while do does one alone.
func (w *world) play(o op) (answer string, can bool) {
	if o.verb != "replace" {
		answer, can = w.do(o)
		for _, sub := range o.subs {
			w.play(sub)
		}
		return answer, can
	}
	f, ok := w.family(o.on())
	if !ok || len(f.labels) == 0 {
		return "", false
	}
	next := f.begin()
	w.next = append(w.next, next)
	defer func() { w.next = w.next[:len(w.next)-1] }()
	for _, sub := range o.subs {
		if sub.verb == "panic" {
			return fine, true
		}
		w.play(sub)
	}
	f.finish(next)
	return fine, true
}

// family returns the family with the name; "next" is the one that Replace fills
// in.
func (w *world) family(name string) (*family, bool) {
	if name == "next" {
		if len(w.next) == 0 {
			return nil, false
		}
		return w.next[len(w.next)-1], true
	}
	f, ok := w.objects[name].(*family)
	return f, ok
}

func (w *world) make(o op) (string, bool) {
	id, kind, in, name := o.on(), o.arg(1), o.arg(2), o.arg(3)
	if w.objects[id] != nil || kinds[kind] == "" || name == "" {
		return "", false
	}
	f := &family{definition: &definition{name: name, kind: kind, labels: []string{"a", "b"}[:int(o.number("labels"))], constant: o.opt("const")}}
	f.whole = f
	if len(f.labels) > 0 {
		f.limit = int(o.number("limit"))
		if o.has("declared") {
			f.sets[0] = declared
		}
		if o.has("initial") {
			f.sets[1] = declaredToo
		}
	}
	f.key = fmt.Sprint(kind, name, len(f.labels), o.has("const"), f.constant, f.limit, f.sets)
	r, ok := w.objects[in].(*registry)
	if !ok && in != "-" {
		return "", false
	}
	switch {
	case len(f.labels) == 0:
		f.series = []*series{newSeries(f.definition, nil)}
	case o.has("initial") && !f.populate():
		return refused, true
	}
	if in == "-" {
		w.objects[id] = f
		return fine, true
	}
	for _, e := range r.entries {
		if there, ok := e.of.(*family); ok && there.key == f.key {
			w.objects[id] = there
			return fine, true
		}
	}
	f.home = r
	answer := r.register(f)
	if answer == fine {
		w.objects[id] = f
	}
	return answer, true
}

func (w *world) custom(o op) (string, bool) {
	if w.objects[o.on()] != nil {
		return "", false
	}
	c := &custom{described: o.has("described"), after: int(o.number("after")), fails: o.opt("fails")}
	for _, spec := range o.plain(1) { // such as g1/1/1x, a gauge with a series without labels and one of label x
		c.families = append(c.families, parseLine(spec))
	}
	w.objects[o.on()] = c
	return fine, true
}

// parseLine reads a family of a custom collector: its name and, after slashes, its
// samples, each a digit and the value of its label.
func parseLine(spec string) line {
	parts := strings.Split(spec, "/")
	l := line{name: parts[0], kind: "gauge"}
	if strings.HasPrefix(l.name, "c") && !strings.HasSuffix(l.name, "_total") {
		l.kind = "counter"
	}
	for _, s := range parts[1:] {
		if s != "" {
			l.samples = append(l.samples, sample{s[1:], float64(s[0] - '0')})
		}
	}
	return l
}

func (w *world) callback(o op) (string, bool) {
	r, ok := w.objects[o.arg(1)].(*registry)
	if w.objects[o.on()] != nil || !ok || o.arg(2) == "" || !o.has("value") {
		return "", false
	}
	c := &callback{name: o.arg(2), kind: "gauge", value: o.opt("value")}
	if strings.HasPrefix(c.name, "c") && !strings.HasSuffix(c.name, "_total") {
		c.kind = "counter"
	}
	answer := r.register(c)
	if answer == fine {
		w.objects[o.on()] = c
	}
	return answer, true
}

func (w *world) view(o op) (string, bool) {
	v := &view{kind: o.arg(1), labels: o.pairs("add"), prefix: o.opt("prefix"), names: make(map[string]bool)}
	for _, name := range o.plain(2) {
		if w.objects[name] == nil {
			return "", false
		}
		v.of = append(v.of, w.objects[name])
	}
	if w.objects[o.on()] != nil || v.kind != "merged" && len(v.of) != 1 {
		return "", false
	}
	for _, name := range strings.Split(o.opt("names"), ",") {
		if name != "" {
			v.names[name] = true
		}
	}
	if v.kind == "labelled" {
		seen := make(map[string]bool)
		for _, name := range append(labelNames(v.of[0]), sorted(v.labels)...) {
			if seen[name] {
				return refused, true
			}
			seen[name] = true
		}
	}
	w.objects[o.on()] = v
	return fine, true
}

// labelNames returns the label names that all series of a collector are known to
// have.
func labelNames(c any) (names []string) {
	switch c := c.(type) {
	case *family:
		if c.constant != "" {
			names = append(names, "k")
		}
		return append(names, c.labels...)
	case *view:
		if len(c.of) == 1 {
			return append(labelNames(c.of[0]), sorted(c.labels)...)
		}
	}
	return nil
}

// update finds a series, keeps its handle or updates it, and returns its values
// afterwards.
func (w *world) update(o op) (string, bool) {
	var s *series
	switch target := o.on(); {
	case o.verb == "hold":
		f, ok := w.family(o.arg(1))
		if !ok || w.handles[target] != nil || !f.takes(o.arg(1), o.plain(2)) {
			return "", false
		}
		if s = f.with(o.plain(2)); s != nil {
			w.handles[target] = s
		}
		return fine, true
	case strings.HasPrefix(target, "H"):
		if s = w.handles[target]; s == nil {
			return "", false
		}
	default:
		f, ok := w.family(target)
		if !ok || !f.takes(target, o.plain(1)) {
			return "", false
		}
		if s = f.with(o.plain(1)); s == nil {
			f.apart().update(o) // misuse of a series on no page counts too
			return "detached", true
		}
	}
	if refusal := s.update(o); refusal != "" {
		return refusal, true
	}
	return s.says(), true
}

// update does the operations of an update and returns refused if one is an
// error.
func (s *series) update(o op) string {
	f := s.of
	note := func(bucket int, v float64) {
		if o.has("exemplar") {
			s.exemplar[bucket] = &exemplar{o.opt("exemplar"), v}
		}
	}
	for _, arg := range o.args {
		what, _, ok := named(arg)
		if !ok {
			continue
		}
		v := o.number(what)
		switch f.kind + " " + what {
		case "counter add":
			switch {
			case v < 0 && o.has("exemplar"):
				f.misuse("negative")
				return refused
			case v < 0:
				f.misuse("negative")
			default:
				s.value += v
				note(0, v)
			}
		case "counter reset":
			s.value = 0
			clear(s.exemplar)
		case "gauge set":
			s.value = v
		case "gauge add":
			s.value += v
		case "gauge function":
			if s.function = o.opt(what); s.function != "" {
				f.functions = true
			}
		case "histogram observe":
			s.observed = append(s.observed, v)
			bucket, _ := slices.BinarySearch(buckets, v)
			note(bucket, v)
		case "native observe", "both observe", "summary observe", "quantiles observe":
			s.observed = append(s.observed, v)
		case "info set":
			s.info = o.pairs(what)
		case "enum set":
			if !slices.Contains(states, o.opt(what)) {
				f.misuse("unknown_state")
				return refused
			}
			s.state = o.opt(what)
		}
	}
	return ""
}

func (s *series) sum() (sum float64) {
	for _, v := range s.observed {
		sum += v
	}
	return sum
}

// says returns the results of a handle's methods.
func (s *series) says() string {
	switch s.of.kind {
	case "counter", "gauge":
		if s.function == "panic" {
			return "panic"
		}
		if s.function != "" {
			return s.function
		}
		return number(s.value)
	case "info":
		return fmt.Sprint(s.info)
	case "enum":
		return s.state
	}
	return fmt.Sprintf("%d %s", len(s.observed), number(s.sum()))
}

// number writes a number as pages do; another test checks that form.
func number(v float64) string { return model.FormatValue(v) }
