package multiprocess_test

import (
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
)

// idle is the expiry of the tests' series. Who counts one and then wants it on a page does
// so with inTime.
const idle = time.Second

// soon waits until a condition holds.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not come to be that %s", what)
		}
	}
}

// inTime calls f until it takes less than the expiry, so that no series that f updates may
// have left before f reads a page. Between two calls it calls again.
func inTime(t *testing.T, f, again func()) {
	t.Helper()
	for {
		began := time.Now()
		if f(); time.Since(began) < idle {
			return
		}
		if deadline, ok := t.Deadline(); ok && time.Until(deadline) < time.Minute {
			t.Fatal("the machine does not come to read pages within the expiry")
		}
		again()
	}
}

// expiring returns a registry of a new store, which has that writer name.
func expiring(t *testing.T, dir, name string) *telltale.Registry {
	t.Helper()
	return telltale.NewRegistry(telltale.WithStore(openStore(t, dir, multiprocess.WithoutFolding(), multiprocess.WithWriterName(name), multiprocess.WithPublishInterval(time.Second))))
}

// samplesOf returns a registry's page without what it says of itself.
func samplesOf(t *testing.T, reg telltale.Collector) string {
	t.Helper()
	page, err := telltale.GenerateLatest(reg)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for line := range strings.Lines(string(page)) {
		if !strings.Contains(line, "_created") && !strings.HasPrefix(line, "# ") && !strings.Contains(line, "telltale_") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// updates returns instruments of every kind, each with how to update the series of a value.
// Series with the given values stay.
func updates(t *testing.T, reg *telltale.Registry, stay ...string) map[string]func(l string) (update func()) {
	t.Helper()
	in, d, labels := telltale.In(reg), telltale.WithIdleExpiry(idle), []string{"l"}
	c := telltale.Must(telltale.NewCounterVec("c", "", labels, in, d))
	g := telltale.Must(telltale.NewGaugeVec("g", "", labels, in, d, telltale.WithGaugeMode(telltale.ModeSum)))
	m := telltale.Must(telltale.NewGaugeVec("m", "", labels, in, d, telltale.WithGaugeMode(telltale.ModeMostRecent)))
	each := telltale.Must(telltale.NewGaugeVec("each", "", labels, in, d))
	h := telltale.Must(telltale.NewHistogramVec("h", "", labels, in, d, telltale.WithBuckets(1)))
	n := telltale.Must(telltale.NewHistogramVec("n", "", labels, in, d, telltale.WithNativeBuckets(2), telltale.WithBuckets(1)))
	s := telltale.Must(telltale.NewSummaryVec("s", "", labels, in, d))
	e := telltale.Must(telltale.NewEnumVec("e", "", []string{"off", "on"}, labels, in, d))
	i := telltale.Must(telltale.NewInfoVec("i", "", labels, in, d))
	for _, l := range stay {
		for _, v := range []interface{ Init(...[]string) error }{c, g, m, each, h, n, s, e, i} {
			if err := v.Init([]string{l}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return map[string]func(string) func(){
		"c":    func(l string) func() { return c.With(l).Inc },
		"g":    func(l string) func() { h := g.With(l); return func() { h.Set(3) } },
		"m":    func(l string) func() { h := m.With(l); return func() { h.Set(3) } },
		"each": func(l string) func() { h := each.With(l); return func() { h.Set(3) } },
		"h":    func(l string) func() { h := h.With(l); return func() { h.Observe(0.5) } },
		"n":    func(l string) func() { h := n.With(l); return func() { h.Observe(0.5) } },
		"s":    func(l string) func() { h := s.With(l); return func() { h.Observe(0.5) } },
		"e":    func(l string) func() { h := e.With(l); return func() { _ = h.Set("on") } },
		"i":    func(l string) func() { h := i.With(l); return func() { _ = h.Set(map[string]string{"v": "1"}) } },
	}
}

// Series of every kind leave the page, and their rows the file. A handle that is used
// again brings its series back, as it was at first.
func TestIdleSeriesLeaveAStore(t *testing.T) {
	dir := sharedDir(t)
	reg := expiring(t, dir, "a")
	reader := telltale.NewRegistry()
	if err := reader.Register(telltale.Must(multiprocess.NewCollector(dir, multiprocess.WithoutFolding()))); err != nil {
		t.Fatal(err)
	}
	var all []func()
	for _, hold := range updates(t, reg) {
		all = append(all, hold("x"))
	}
	left := func() { soon(t, "the page is empty", func() bool { return samplesOf(t, reg) == "" }) }
	update := func() (page string) {
		inTime(t, func() {
			for _, f := range all {
				f()
			}
			page = samplesOf(t, reg)
		}, left)
		return page
	}
	first := update()
	if n := strings.Count(first, "\n"); n != 17 {
		t.Fatalf("the page has %d lines:\n%s", n, first)
	}
	for life := range 3 {
		left()
		if page := samplesOf(t, reader); page != "" {
			t.Errorf("in life %d another process sees\n%s", life, page)
		}
		if life == 1 { // rows are given back, so that there is none any more
			soon(t, "the rows are given back", func() bool {
				n := 0
				for _, f := range telltale.Must(multiprocess.Inspect(dir)) {
					n += f.Series
				}
				return n == 0
			})
		}
		if page := update(); page != first {
			t.Fatalf("in life %d the page is\n%swant\n%s", life, page, first)
		}
	}
}

// A series goes on as long as any process has it, with what all have counted. One that has
// not updated it for long goes on where it was.
func TestIdleSeriesGoOnWhileOneProcessHasThem(t *testing.T) {
	dir := sharedDir(t)
	busy, quiet := expiring(t, dir, "busy"), expiring(t, dir, "quiet")
	var always, seldom []func()
	for _, hold := range updates(t, busy, "x") {
		always = append(always, hold("x"))
	}
	for _, hold := range updates(t, quiet) {
		seldom = append(seldom, hold("x"))
	}
	value := func(name string) float64 {
		v, _ := quiet.SampleValue(name, map[string]string{"l": "x"})
		return v
	}
	update := func(all []func()) {
		for _, f := range all {
			f()
		}
	}
	update(seldom)
	update(seldom)
	for n := 3.0; n < 40; n++ {
		update(always)
		time.Sleep(idle / 2)
		if int(n)%10 == 0 {
			update(seldom)
			n++
		}
		for name, want := range map[string]float64{
			"c_total": n, "g": 6, "m": 3, "h_count": n, "h_sum": n / 2, "n_count": n, "n_sum": n / 2, "s_count": n, "s_sum": n / 2,
		} {
			if v := value(name); v != want {
				t.Fatalf("%s is %v, want %v", name, v, want)
			}
		}
		if v, ok := quiet.SampleValue("e", map[string]string{"l": "x", "e": "on"}); v != 1 {
			t.Fatalf("the state is %v, %v", v, ok)
		}
	}
}

// A series that comes back where the family is full counts in that of overflow, which
// keeps the sum of the family.
func TestIdleSeriesComeBackOverTheLimit(t *testing.T) {
	dir := sharedDir(t)
	store := openStore(t, dir, multiprocess.WithoutFolding(), multiprocess.WithPublishInterval(time.Second))
	reg := telltale.NewRegistry(telltale.WithStore(store), telltale.WithErrorHook(func(error) {}))
	v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg), telltale.WithIdleExpiry(idle), telltale.WithSeriesLimit(1)))
	held := v.With("x")
	held.Add(5)
	left := func() { soon(t, "the series has left", func() bool { return samplesOf(t, reg) == "" }) }
	left()
	page := ""
	inTime(t, func() {
		v.With("y").Inc()
		held.Add(2)
		held.Inc()
		page = samplesOf(t, reg)
	}, left)
	if page != "c_total{l=\"overflow\"} 3.0\nc_total{l=\"y\"} 1.0\n" {
		t.Errorf("the page is\n%s", page)
	}
}

// A series that comes back has a created time of its own.
func TestIdleSeriesComeBackAsNewOnes(t *testing.T) {
	reg := expiring(t, sharedDir(t), "a")
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg), telltale.WithIdleExpiry(idle))).With("x")
	created := func() (at model.Timestamp) {
		c.Inc()
		err := reg.Collect(t.Context(), func(f *model.Family) error {
			if f.Name != "c" {
				return nil
			}
			var scratch model.Point
			return f.Visit(&scratch, func(p *model.Point) error {
				at = p.Created
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	var first, second model.Timestamp
	inTime(t, func() { first = created() }, func() {})
	soon(t, "the series has left", func() bool { return samplesOf(t, reg) == "" })
	inTime(t, func() { second = created() }, func() {})
	if !first.IsSet() || second.Compare(first) <= 0 {
		t.Errorf("it was created at %v, and then at %v", first, second)
	}
}
