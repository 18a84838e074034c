package modeltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"telltale"
	"telltale/exposition/openmetrics"
	"telltale/model"
)

// runner does the operations of a script with the library and with the model, and
// stops at the first difference.
type runner struct {
	world   *world
	library *library
	visits  int // visits in progress: until they end, the counts are not known
	wrong   *difference
}

func newRunner() *runner { return &runner{world: newWorld(), library: newLibrary()} }

// run runs a script, then checks everything that it has made. It returns the
// first difference.
func run(ops []op) (wrong *difference) {
	r := newRunner()
	defer func() {
		if p := recover(); p != nil {
			wrong = &difference{"panic", fmt.Sprintf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	for _, o := range ops {
		r.do(o)
	}
	for _, name := range sorted(r.world.objects) {
		for _, how := range []string{"text", "openmetrics", "families"} {
			r.do(op{verb: "scrape", args: []string{name, "how=" + how}})
		}
	}
	return r.wrong
}

// difference is the first difference that a runner found.
type difference struct {
	kind string // the same for differences of one cause
	text string
}

func (d *difference) Error() string { return d.text }

func (r *runner) fail(o op, format string, args ...any) {
	if r.wrong == nil {
		r.wrong = &difference{o.verb + o.opt("how") + format, o.String() + fmt.Sprintf(format, args...)}
	}
}

var errFill = errors.New("the function given to Replace panics")

func (r *runner) do(o op) {
	if r.wrong != nil {
		return
	}
	switch o.verb {
	case "replace":
		r.replace(o)
		return
	case "scrape":
		r.scrape(o)
		return
	case "sample":
		r.sample(o)
		return
	case "panic":
		if len(r.world.next) > 0 {
			panic(errFill)
		}
		return
	}
	want, can := r.world.do(o)
	if !can {
		return
	}
	if got := r.library.do(o); got != want {
		r.fail(o, "the answer is %s, want %s", got, want)
	}
}

func (r *runner) replace(o op) {
	f, ok := r.world.family(o.on())
	if !ok || len(f.labels) == 0 {
		return
	}
	next, nexts, fills := f.begin(), len(r.world.next), len(r.library.next)
	r.world.next = append(r.world.next, next)
	defer func() {
		r.world.next, r.library.next = r.world.next[:nexts], r.library.next[:fills]
		switch p := recover(); p {
		case nil:
			f.finish(next)
		case errFill:
		default:
			panic(p)
		}
	}()
	r.library.instrument(o.on()).replace(o.opt("via"), func(fill instrument) {
		r.library.next = append(r.library.next, fill)
		for _, sub := range o.subs {
			r.do(sub)
		}
	})
}

func (r *runner) scrape(o op) {
	of := r.world.objects[o.on()]
	if _, alone := of.(*custom); alone || of == nil {
		return // a custom collector's own Collect is not the library's
	}
	if o.opt("how") == "visit" {
		r.visit(o)
		return
	}
	want := collect(of)
	c := r.library.collector(o.on())
	var got string
	var err error
	wanted, compare := want.textPage(), true
	switch how := o.opt("how"); how {
	case "openmetrics":
		got, err = openMetricsPage(c)
		wanted, compare = want.openMetricsPage()
	case "families":
		got, err = r.families(o, c)
		wanted = want.samples()
	default:
		var b bytes.Buffer
		err = telltale.WriteLatest(context.Background(), &b, c)
		got = plain(b.String())
	}
	if compare && (err == nil || o.opt("how") == "families") && got != wanted { // otherwise the encoder may have kept the rest
		r.fail(o, "the page is\n%swant\n%s", indented(got), indented(wanted))
	}
	if failed := err != nil; failed && want.errors.most == 0 || !failed && want.errors.least > 0 {
		r.fail(o, "the error is %v, want %d to %d faults", err, want.errors.least, want.errors.most)
	}
	r.checkStats(o)
}

func indented(text string) string {
	return "\t" + strings.TrimSuffix(strings.ReplaceAll(text, "\n", "\n\t"), "\t")
}

var (
	helpLine     = regexp.MustCompile(`(?m)^# HELP .*\n`)
	exemplarTime = regexp.MustCompile(`(?m)( # \{.*\} [^ ]+) [0-9.]+$`)
	quantileLine = regexp.MustCompile(`(?m)^(.*quantile="[^"]*"\}) .*$`)
)

// plain removes from a page what the model does not know: help and times. Values
// of quantiles are checked by checkPoints.
func plain(text string) string {
	text = helpLine.ReplaceAllString(text, "")
	text = exemplarTime.ReplaceAllString(text, "$1")
	return quantileLine.ReplaceAllString(text, "$1 ~")
}

func openMetricsPage(c telltale.Collector) (string, error) {
	var b bytes.Buffer
	enc := openmetrics.NewEncoder(&b)
	err := errors.Join(c.Collect(context.Background(), enc.Encode), enc.Close())
	return plain(b.String()), err
}

// samples writes the page as families and their samples.
func (p *page) samples() string {
	var b strings.Builder
	for _, f := range p.families {
		fmt.Fprintf(&b, "%s %s\n", f.kind, base(f.name, f.kind, f.literal))
		for _, t := range f.lines {
			if !t.textOnly() {
				fmt.Fprintln(&b, t)
			}
		}
	}
	return b.String()
}

// textOnly reports whether a sample is the only bucket of a native histogram
// that text formats show.
func (t text) textOnly() bool {
	return t.of != nil && t.of.of.kind == "native" && strings.HasSuffix(t.name, "_bucket")
}

// families collects copies of families and writes them as samples does.
func (r *runner) families(o op, c telltale.Collector) (string, error) {
	var b strings.Builder
	var failed error
	write := func(f *model.Family) error {
		fmt.Fprintf(&b, "%s %s\n", f.Type, f.BaseName())
		for s := range f.Samples() {
			if !strings.HasSuffix(s.Name, "_created") && s.NativeHistogram == nil {
				fmt.Fprintln(&b, text{name: s.Name, labels: s.Labels.Text(), value: number(s.Value)})
			}
		}
		return nil
	}
	if reg, ok := c.(*telltale.Registry); ok {
		for f, err := range reg.Families(context.Background()) {
			if failed = err; err == nil {
				_ = write(f)
			}
		}
	} else {
		failed = c.Collect(context.Background(), write)
	}
	if f, ok := r.world.objects[o.on()].(*family); ok {
		if err := f.checkPoints(c); err != nil {
			r.fail(o, "%v", err)
		}
	}
	return quantileLine.ReplaceAllString(b.String(), "$1 ~"), failed
}

// checkPoints checks what only points have: native buckets, quantiles, and
// created times.
func (f *family) checkPoints(c telltale.Collector) error {
	if f.functions {
		return nil
	}
	i := 0
	return c.Collect(context.Background(), func(family *model.Family) error {
		return family.Visit(new(model.Point), func(p *model.Point) error {
			if i >= len(f.series) {
				return errors.New("there are too many points")
			}
			s := f.series[i]
			i++
			switch f.kind {
			case "counter", "histogram", "native", "both", "summary", "quantiles":
				if !p.Created.IsSet() {
					return fmt.Errorf("{%s} was never created", p.Labels)
				}
			}
			switch f.kind {
			case "quantiles":
				return s.checkQuantiles(p.Summary.Quantiles)
			case "native", "both":
				return s.checkNative(p.Histogram.Native)
			}
			return nil
		})
	})
}

// checkQuantiles accepts any observation next to the quantile's rank.
func (s *series) checkQuantiles(got []model.Quantile) error {
	observed := slices.Sorted(slices.Values(s.observed))
	for i, q := range quantiles {
		v := got[i].V
		if len(observed) == 0 {
			if !math.IsNaN(v) {
				return fmt.Errorf("the quantile %v of nothing is %v", q, v)
			}
			continue
		}
		right := false
		for rank, want := range observed {
			near := math.Abs(float64(rank)-q*float64(len(observed)-1)) <= 1
			right = right || near && math.Abs(v-want) <= 0.0101*math.Abs(want)
		}
		if got[i].Q != q || !right {
			return fmt.Errorf("the quantile %v of %v is %v", q, observed, v)
		}
	}
	return nil
}

// checkNative compares the buckets, whose bounds are powers of two.
func (s *series) checkNative(got *model.NativeHistogram) error {
	want := make(map[string]float64)
	for _, v := range s.observed {
		switch {
		case v == 0:
			want["zero"]++
		case v > 0:
			want[fmt.Sprint("+", math.Ceil(math.Log2(v)))]++
		default:
			want[fmt.Sprint("-", math.Ceil(math.Log2(-v)))]++
		}
	}
	buckets := make(map[string]float64)
	if got.ZeroCount > 0 {
		buckets["zero"] = got.ZeroCount
	}
	note := func(sign string, spans []model.Span, counts []float64) {
		index := 0
		for _, span := range spans {
			index += int(span.Offset)
			for range span.Length {
				if counts[0] > 0 {
					buckets[fmt.Sprint(sign, index)] = counts[0]
				}
				counts = counts[1:]
				index++
			}
		}
	}
	note("+", got.PositiveSpans, got.Positive)
	note("-", got.NegativeSpans, got.Negative)
	if fmt.Sprint(buckets) != fmt.Sprint(want) || got.Count != float64(len(s.observed)) || got.Sum != s.sum() {
		return fmt.Errorf("native buckets %v, count %v, sum %v; want %v of %v", buckets, got.Count, got.Sum, want, s.observed)
	}
	return nil
}

// checkStats compares the counts of registries, and sets the model to them if it
// knows bounds only.
func (r *runner) checkStats(o op) {
	if r.visits > 0 {
		return
	}
	for _, name := range sorted(r.world.objects) {
		reg, ok := r.world.objects[name].(*registry)
		if !ok {
			continue
		}
		stats := r.library.objects[name].(*telltale.Registry).Stats()
		series, overflows := 0, make(map[string]uint64)
		for _, e := range reg.entries {
			if f, ok := e.of.(*family); ok {
				series += len(f.series)
				overflows[f.name] += uint64(f.refusals)
			}
		}
		maps.DeleteFunc(overflows, func(_ string, n uint64) bool { return n == 0 })
		if !maps.Equal(stats.Overflows, overflows) {
			r.fail(o, "%s says that families found no room %v times, want %v", name, stats.Overflows, overflows)
		}
		if stats.Collectors != len(reg.entries) || stats.Series != series || stats.Hanging != 0 {
			r.fail(o, "%s says that it has %d collectors, %d series and %d that hang; want %d, %d and 0",
				name, stats.Collectors, stats.Series, stats.Hanging, len(reg.entries), series)
		}
		for reason, n := range stats.Faults {
			if _, known := reg.faults[string(reason)]; !known && n > 0 {
				reg.faults[string(reason)] = bounds{}
			}
		}
		r.library.mu.Lock()
		for reason, want := range reg.faults {
			n := stats.Faults[telltale.Reason(reason)]
			if n < want.least || n > want.most {
				r.fail(o, "%s counts %d faults %q, want %d to %d", name, n, reason, want.least, want.most)
			}
			if heard := r.library.heard[name][reason]; heard > n {
				r.fail(o, "the hook of %s heard %d faults %q, of %d", name, heard, reason, n)
			}
			reg.faults[reason] = bounds{n, n}
		}
		r.library.mu.Unlock()
	}
}

// visit scrapes and does other operations when it comes to a point. Series that
// are on the page before and after must be on the page, and none twice.
func (r *runner) visit(o op) {
	of := r.world.objects[o.on()]
	before := collect(of).read()
	r.visits++
	at, n := int(o.number("at")), 0
	subs := func() {
		for _, sub := range o.subs {
			switch sub.verb {
			case "up", "hold", "remove", "match", "clear", "init", "fill", "drain", "replace":
				r.do(sub)
			}
		}
	}
	got := make(map[string]string)
	err := r.library.collector(o.on()).Collect(context.Background(), func(f *model.Family) error {
		seen := f.Header()
		err := f.Visit(new(model.Point), func(p *model.Point) error {
			if n++; n == at+1 {
				subs()
			}
			seen.Append(p.Clone())
			return nil
		})
		for s := range seen.Samples() {
			if strings.HasSuffix(s.Name, "_created") || s.NativeHistogram != nil {
				continue
			}
			t := text{name: s.Name, labels: s.Labels.Text(), value: number(s.Value)}
			if _, twice := got[t.name+t.labels]; twice {
				r.fail(o, "it is on the page twice: %s", t)
			}
			got[t.name+t.labels] = t.value
		}
		return err
	})
	if n <= at {
		subs()
	}
	r.visits--
	after := collect(of).read()
	for key, want := range before {
		if want == after[key] && want.value != "~" && got[key] != want.value {
			r.fail(o, "%s was there all the time and is %q on the page", want, got[key])
		}
	}
	if err != nil && firstRegistry(of) != nil {
		r.fail(o, "the error is %v", err)
	}
	r.recount(o)
}

// read returns the samples of a page that are read, not run, by name and labels.
func (p *page) read() map[string]text {
	lines := make(map[string]text)
	for _, f := range p.families {
		for _, t := range f.lines {
			if t.of != nil && !t.of.of.functions && !t.textOnly() {
				t.exemplar = ""
				lines[t.name+t.labels] = t
			}
		}
	}
	return lines
}

// sample asks a registry for one sample, if all collectors with that name are
// read.
func (r *runner) sample(o op) {
	reg, ok := r.world.objects[o.on()].(*registry)
	if !ok {
		return
	}
	name, labels := o.arg(1), map[string]string{}
	for _, label := range []string{"a", "b", "k", "z", "le"} {
		if o.has(label) {
			labels[label] = o.opt(label)
		}
	}
	var pairs [][2]string
	for _, name := range sorted(labels) {
		pairs = append(pairs, [2]string{name, labels[name]})
	}
	key := labelText(pairs)
	p := collect(&view{kind: "restricted", of: []any{reg}, names: map[string]bool{name: true}})
	if p.customs {
		r.recount(o)
		return
	}
	want := ""
	for _, f := range p.families {
		for _, t := range f.lines {
			own := pairsOf(t.labels)
			slices.Sort(own)
			if native := t.of != nil && (t.of.of.kind == "native" || t.of.of.kind == "both"); native && f.name == name {
				return // it is a histogram, of which Samples makes a sample without a number
			}
			if t.name == name && strings.Join(own, ",") == key && want == "" {
				want = t.value
			}
		}
	}
	value, there := r.library.objects[o.on()].(*telltale.Registry).SampleValue(name, labels)
	if got := number(value); there != (want != "") || there && got != want && want != "~" {
		r.fail(o, "it is %v, %s; want %q", there, got, want)
	}
	r.recount(o)
}

// recount sets the model to the counts of the library, if they depend on how
// much of a page was read.
func (r *runner) recount(o op) {
	for _, name := range sorted(r.world.objects) {
		if reg, ok := r.world.objects[name].(*registry); ok {
			for reason, n := range r.library.objects[name].(*telltale.Registry).Stats().Faults {
				reg.faults[string(reason)] = bounds{n, n}
			}
			for reason, b := range reg.faults {
				reg.faults[reason] = bounds{0, b.most}
			}
		}
	}
	r.checkStats(o)
}
