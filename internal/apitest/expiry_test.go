package apitest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telltale"
	"telltale/model"
)

const idle = time.Minute

// inTime runs a test in which time passes only when it sleeps.
func inTime(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// everyKind returns for each kind of instrument how to update a series of it, and its
// page before, with the series x and y updated once each, and after x alone was.
func everyKind(t *testing.T, reg *telltale.Registry, opts ...telltale.Option) map[string]struct {
	collector telltale.Collector
	hold      func(l string) (update func())
	page      string // of x and y
	revived   string // of y, then of x, both updated once
} {
	t.Helper()
	labels, in := []string{"l"}, telltale.In(reg)
	all := func() (o []telltale.Option) { return append(append(o, in, telltale.WithIdleExpiry(idle)), opts...) }
	counter := telltale.Must(telltale.NewCounterVec("c", "", labels, as[telltale.CounterOption](all())...))
	gauge := telltale.Must(telltale.NewGaugeVec("g", "", labels, as[telltale.GaugeOption](all())...))
	classic := telltale.Must(telltale.NewHistogramVec("h", "", labels, append(as[telltale.HistogramOption](all()), telltale.WithBuckets(1))...))
	native := telltale.Must(telltale.NewHistogramVec("n", "", labels, append(as[telltale.HistogramOption](all()), telltale.WithNativeBuckets(2))...))
	both := telltale.Must(telltale.NewHistogramVec("b", "", labels, append(as[telltale.HistogramOption](all()), telltale.WithNativeBuckets(2), telltale.WithBuckets(1))...))
	summary := telltale.Must(telltale.NewSummaryVec("m", "", labels, as[telltale.SummaryOption](all())...))
	info := telltale.Must(telltale.NewInfoVec("i", "", labels, as[telltale.InfoOption](all())...))
	enum := telltale.Must(telltale.NewEnumVec("e", "", []string{"off", "on"}, labels, as[telltale.EnumOption](all())...))
	buckets := func(name, l string) string {
		return strings.NewReplacer("N", name, "L", l).Replace("N_bucket{l=\"L\",le=\"1.0\"} 1.0\nN_bucket{l=\"L\",le=\"+Inf\"} 1.0\nN_count{l=\"L\"} 1.0\nN_sum{l=\"L\"} 0.5\n")
	}
	plain := func(name, l string) string {
		return strings.NewReplacer("N", name, "L", l).Replace("N_bucket{l=\"L\",le=\"+Inf\"} 1.0\nN_count{l=\"L\"} 1.0\nN_sum{l=\"L\"} 0.5\n")
	}
	type kind = struct {
		collector telltale.Collector
		hold      func(l string) (update func())
		page      string
		revived   string
	}
	page := func(header string, of func(l string) string) (string, string) {
		return header + of("x") + of("y"), header + of("y") + of("x")
	}
	kinds := make(map[string]kind)
	add := func(name string, c telltale.Collector, hold func(l string) func(), header string, of func(l string) string) {
		before, after := page(header, of)
		kinds[name] = kind{c, hold, before, after}
	}
	add("counter", counter, func(l string) func() { return counter.With(l).Inc },
		"# TYPE c_total counter\n", func(l string) string { return fmt.Sprintf("c_total{l=%q} 1.0\n", l) })
	add("gauge", gauge, func(l string) func() { g := gauge.With(l); return func() { g.Set(3) } },
		"# TYPE g gauge\n", func(l string) string { return fmt.Sprintf("g{l=%q} 3.0\n", l) })
	add("classic histogram", classic, func(l string) func() { h := classic.With(l); return func() { h.Observe(0.5) } },
		"# TYPE h histogram\n", func(l string) string { return buckets("h", l) })
	add("native histogram", native, func(l string) func() { h := native.With(l); return func() { h.Observe(0.5) } },
		"# TYPE n histogram\n", func(l string) string { return plain("n", l) })
	add("histogram with both buckets", both, func(l string) func() { h := both.With(l); return func() { h.Observe(0.5) } },
		"# TYPE b histogram\n", func(l string) string { return buckets("b", l) })
	add("summary", summary, func(l string) func() { m := summary.With(l); return func() { m.Observe(0.5) } },
		"# TYPE m summary\n", func(l string) string { return fmt.Sprintf("m_count{l=%q} 1.0\nm_sum{l=%q} 0.5\n", l, l) })
	add("info", info, func(l string) func() {
		i := info.With(l)
		return func() {
			if err := i.Set(map[string]string{"v": "1"}); err != nil {
				t.Error(err)
			}
		}
	}, "# TYPE i_info gauge\n", func(l string) string { return fmt.Sprintf("i_info{l=%q,v=\"1\"} 1.0\n", l) })
	add("enum", enum, func(l string) func() {
		e := enum.With(l)
		return func() {
			if err := e.Set("on"); err != nil {
				t.Error(err)
			}
		}
	}, "# TYPE e gauge\n", func(l string) string { return fmt.Sprintf("e{l=%q,e=\"off\"} 0.0\ne{l=%q,e=\"on\"} 1.0\n", l, l) })
	return kinds
}

// beSeen lets a look see what was updated until now.
func beSeen(t *testing.T, c telltale.Collector) {
	t.Helper()
	time.Sleep(idle / 8)
	page(t, c)
}

// as returns options of every instrument as options of one.
func as[O any](opts []telltale.Option) (fitting []O) {
	for _, o := range opts {
		fitting = append(fitting, any(o).(O))
	}
	return fitting
}

// createdOf returns the created times of the series, by their label l.
func createdOf(t *testing.T, c telltale.Collector) map[string]model.Timestamp {
	t.Helper()
	created := make(map[string]model.Timestamp)
	err := c.Collect(t.Context(), func(f *model.Family) error {
		return f.Visit(new(model.Point), func(p *model.Point) error {
			l, _ := p.Labels.Get("l")
			created[l] = p.Created
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// A series that is not updated leaves, and a handle that is held brings it back as a new
// one.
func TestIdleSeriesLeaveAndComeBack(t *testing.T) {
	for name := range everyKind(t, telltale.NewRegistry()) {
		inTime(t, name, func(t *testing.T) {
			kind := everyKind(t, telltale.NewRegistry())[name]
			x, y := kind.hold("x"), kind.hold("y")
			x()
			y()
			wantPage(t, kind.collector, kind.page)
			before := createdOf(t, kind.collector)
			header := kind.page[:strings.Index(kind.page, "\n")+1]
			for range 3 {
				beSeen(t, kind.collector)
				time.Sleep(idle - idle/8 - 1)
				wantPage(t, kind.collector, kind.page)
				time.Sleep(1 + idle/8)
				wantPage(t, kind.collector, header)
				x()
				y()
				wantPage(t, kind.collector, kind.page)
				after := createdOf(t, kind.collector)
				now := model.TimestampOf(time.Now())
				for _, l := range []string{"x", "y"} {
					if after[l] != now || before[l] == now {
						t.Errorf("%s was created at %s and came back at %s, which is %s", l, before[l], now, after[l])
					}
				}
			}
		})
	}
}

// Each update that a look sees begins the time anew, for its own series.
func TestUpdatedSeriesStay(t *testing.T) {
	for name := range everyKind(t, telltale.NewRegistry()) {
		inTime(t, name, func(t *testing.T) {
			kind := everyKind(t, telltale.NewRegistry())[name]
			x, y := kind.hold("x"), kind.hold("y")
			y()
			for range 5 {
				time.Sleep(idle - idle/8)
				x()
				if created := createdOf(t, kind.collector); len(created) == 0 {
					t.Fatal("the series that is updated has left")
				}
			}
			if created := createdOf(t, kind.collector); len(created) != 1 {
				t.Errorf("there are %v", created)
			}
		})
	}
}

// A handle that was held while another one was given out for the same labels counts
// with that one.
func TestOldAndNewHandlesAreOneSeries(t *testing.T) {
	for name := range everyKind(t, telltale.NewRegistry()) {
		inTime(t, name, func(t *testing.T) {
			kind := everyKind(t, telltale.NewRegistry())[name]
			for round := range 3 {
				old := kind.hold("x")
				beSeen(t, kind.collector)
				time.Sleep(idle)
				page(t, kind.collector)
				young := kind.hold("x")
				time.Sleep(idle / 2)
				old()
				time.Sleep(idle / 2)
				page(t, kind.collector)
				kind.hold("y")
				if created := createdOf(t, kind.collector); len(created) != 2 {
					t.Fatalf("round %d: there are %v", round, created)
				}
				young()
				old()
				if created := createdOf(t, kind.collector); len(created) != 2 {
					t.Fatalf("round %d: there are %v", round, created)
				}
				time.Sleep(2 * idle)
			}
		})
	}
}

func newExpiring(opts ...telltale.CounterOption) (*telltale.Registry, *telltale.CounterVec) {
	reg := telltale.NewRegistry()
	return reg, telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, append(opts, telltale.In(reg), telltale.WithIdleExpiry(idle))...))
}

func TestOldAndNewHandlesCountTogether(t *testing.T) {
	inTime(t, "counter", func(t *testing.T) {
		reg, v := newExpiring()
		old := v.With("x")
		old.Add(100.5)
		beSeen(t, reg)
		time.Sleep(idle)
		wantSeries(t, reg)
		young := v.With("x")
		young.Add(1)
		old.Add(0.25)
		old.Inc()
		young.Inc()
		wantPage(t, reg, "# TYPE c_total counter\nc_total{l=\"x\"} 3.25\n")
		if old.Value() != 3.25 || young.Value() != 3.25 {
			t.Errorf("the handles say %v and %v", old.Value(), young.Value())
		}
		if err := old.AddWithExemplar(1, map[string]string{"id": "7"}); err != nil {
			t.Error(err)
		}
		if got := openMetrics(t, reg); !strings.Contains(got, "c_total{l=\"x\"} 4.25 # {id=\"7\"} 1.0") {
			t.Errorf("the exemplar is not on the page:\n%s", got)
		}
		beSeen(t, reg)
		time.Sleep(idle)
		wantSeries(t, reg)
		old.Inc() // the handle of the first life, then that of the second
		young.Inc()
		if old.Reset(); young.Value() != 0 {
			t.Errorf("after Reset it is %v", young.Value())
		}
		young.Add(5)
		wantPage(t, reg, "# TYPE c_total counter\nc_total{l=\"x\"} 5.0\n")
	})
}

// What is meant to be there stays.
func TestSeriesThatNeverExpire(t *testing.T) {
	inTime(t, "", func(t *testing.T) {
		reg := telltale.NewRegistry()
		in, expiry, labels := telltale.In(reg), telltale.WithIdleExpiry(idle), []string{"l"}
		telltale.Must(telltale.NewCounter("alone", "", in, expiry)).Inc()
		declared := telltale.Must(telltale.NewCounterVec("declared", "", labels, in, expiry, telltale.WithLabelValues("l", "a"), telltale.WithInitialSeries()))
		v := telltale.Must(telltale.NewCounterVec("initial", "", labels, in, expiry))
		v.With("first").Inc()
		v.With("passing").Inc()
		if err := v.Init([]string{"first"}, []string{"second"}); err != nil {
			t.Error(err)
		}
		of := telltale.Must(telltale.NewGaugeOf[byQueue]("of", "", in, expiry))
		of.Init(byQueue{"q"})
		g := telltale.Must(telltale.NewGaugeVec("inflight", "", labels, in, expiry))
		busy, quiet, called, set := g.With("busy"), g.With("quiet"), g.With("called"), g.With("set")
		busy.Inc()
		quiet.Inc()
		quiet.Dec()
		called.SetFunc(func() float64 { return 7 })
		set.Set(1)
		for range 3 {
			time.Sleep(idle)
			page(t, reg)
		}
		wantPage(t, reg, `# TYPE alone_total counter
alone_total 1.0
# TYPE declared_total counter
declared_total{l="a"} 0.0
declared_total{l="other"} 0.0
# TYPE initial_total counter
initial_total{l="first"} 1.0
initial_total{l="second"} 0.0
# TYPE of gauge
of{queue="q"} 0.0
# TYPE inflight gauge
inflight{l="busy"} 1.0
inflight{l="called"} 7.0
`)
		if declared.Len() != 2 {
			t.Errorf("%d series are declared", declared.Len())
		}
		busy.Dec()
		quiet.Inc()
		called.SetFunc(nil)
		set.Add(1)
		wantPage(t, g, "# TYPE inflight gauge\ninflight{l=\"busy\"} 0.0\ninflight{l=\"called\"} 0.0\ninflight{l=\"quiet\"} 1.0\ninflight{l=\"set\"} 1.0\n")
		quiet.Dec()
		time.Sleep(idle)
		beSeen(t, g)
		time.Sleep(idle)
		wantPage(t, g, "# TYPE inflight gauge\ninflight{l=\"set\"} 1.0\n")
		called.SetFunc(func() float64 { return 8 })
		wantPage(t, g, "# TYPE inflight gauge\ninflight{l=\"set\"} 1.0\ninflight{l=\"called\"} 8.0\n")
	})
}

// A gauge that is set again and again to the value that it has is updated.
func TestSetToTheSameValueIsAnUpdate(t *testing.T) {
	inTime(t, "", func(t *testing.T) {
		reg := telltale.NewRegistry()
		g := telltale.Must(telltale.NewGaugeVec("g", "", []string{"l"}, telltale.In(reg), telltale.WithIdleExpiry(idle)))
		e := telltale.Must(telltale.NewEnumVec("e", "", []string{"off", "on"}, []string{"l"}, telltale.In(reg), telltale.WithIdleExpiry(idle)))
		up, state := g.With("up"), e.With("up")
		for range 20 {
			up.Set(1)
			if err := state.Set("on"); err != nil {
				t.Error(err)
			}
			time.Sleep(idle / 2)
			wantPage(t, reg, "# TYPE g gauge\ng{l=\"up\"} 1.0\n# TYPE e gauge\ne{l=\"up\",e=\"off\"} 0.0\ne{l=\"up\",e=\"on\"} 1.0\n")
		}
	})
}

// A second life begins without what belonged to the first.
func TestLivesHaveNothingInCommon(t *testing.T) {
	inTime(t, "", func(t *testing.T) {
		reg := telltale.NewRegistry()
		in, expiry, labels, id := telltale.In(reg), telltale.WithIdleExpiry(idle), []string{"l"}, map[string]string{"id": "7"}
		c := telltale.Must(telltale.NewCounterVec("c", "", labels, in, expiry)).With("x")
		h := telltale.Must(telltale.NewHistogramVec("h", "", labels, in, expiry, telltale.WithBuckets(1))).With("x")
		n := telltale.Must(telltale.NewHistogramVec("n", "", labels, in, expiry, telltale.WithNativeBuckets(2, telltale.WithNativeExemplars(2, time.Hour)))).With("x")
		m := telltale.Must(telltale.NewSummaryVec("m", "", labels, in, expiry, telltale.WithQuantiles(0.5), telltale.WithMaxAge(time.Hour))).With("x")
		g := telltale.Must(telltale.NewGaugeVec("g", "", labels, in, expiry)).With("x")
		c.Reset()
		if err := errors.Join(c.AddWithExemplar(1.5, id), h.ObserveWithExemplar(0.5, id), n.ObserveWithExemplar(0.5, id)); err != nil {
			t.Error(err)
		}
		m.Observe(1000)
		g.Set(1000)
		beSeen(t, reg)
		time.Sleep(idle)
		page(t, reg)
		if c.Value() != 0 || g.Value() != 0 || h.Count() != 0 || h.Sum() != 0 || n.Count() != 0 || m.Count() != 0 || m.Sum() != 0 {
			t.Error("handles of series that have left say something")
		}
		c.Add(0.5)
		h.Observe(2)
		n.Observe(2)
		m.Observe(2)
		g.Add(2)
		text := openMetrics(t, reg)
		if strings.Contains(text, "id=") || strings.Contains(text, "1000") || !strings.Contains(text, `quantile="0.5"} 1.9`) || !strings.Contains(text, "g{l=\"x\"} 2.0\n") || !strings.Contains(text, "c_total{l=\"x\"} 0.5\n") {
			t.Errorf("the second life has something of the first:\n%s", text)
		}
		if created := createdOf(t, reg); created["x"] != model.TimestampOf(time.Now()) {
			t.Errorf("the second life began at %s", created["x"])
		}
	})
}

// Room that series leave is used again, at once where the family is full.
func TestExpiredSeriesLeaveTheirRoom(t *testing.T) {
	for name, reg := range map[string]func() *telltale.Registry{
		"of the family":   func() *telltale.Registry { return telltale.NewRegistry(telltale.WithFamilySeriesLimit(2)) },
		"of the registry": func() *telltale.Registry { return telltale.NewRegistry(telltale.WithTotalSeriesLimit(2)) },
	} {
		inTime(t, name, func(t *testing.T) {
			reg := reg()
			v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg), telltale.WithIdleExpiry(idle)))
			a, b := v.With("a"), v.With("b")
			a.Inc()
			b.Inc()
			v.With("c").Inc()
			beSeen(t, v)
			wantSeries(t, v, `l="a"`, `l="b"`, `l="overflow"`)
			time.Sleep(idle)
			b.Inc()
			v.With("c").Inc() // nobody collects
			wantSeries(t, v, `l="b"`, `l="c"`)
			a.Add(5) // there is no room for it any more
			a.Inc()
			if a.Value() != 6 {
				t.Errorf("its handle says %v", a.Value())
			}
			wantPage(t, v, "# TYPE c_total counter\nc_total{l=\"b\"} 2.0\nc_total{l=\"c\"} 1.0\nc_total{l=\"overflow\"} 6.0\n")
			if n := reg.Stats().Overflows["c"]; n != 2 {
				t.Errorf("%d overflows are counted", n)
			}
			beSeen(t, v)
			time.Sleep(idle)
			wantSeries(t, v)
			a.Inc()
			wantPage(t, v, "# TYPE c_total counter\nc_total{l=\"a\"} 1.0\n")
		})
	}
}

// Series that leave while others are created, which the limits do not refuse, leave as
// much room as they took.
func TestRoomIsCountedOnce(t *testing.T) {
	inTime(t, "", func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithTotalSeriesLimit(4))
		v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.In(reg), telltale.WithIdleExpiry(idle)))
		for _, l := range []string{"a", "b", "c"} {
			v.With(l).Inc()
		}
		beSeen(t, reg)
		time.Sleep(idle)
		if err := v.Init([]string{"x"}, []string{"y"}); err != nil { // which looks at the others
			t.Error(err)
		}
		if v.Len() != 2 {
			t.Fatalf("%d series are there", v.Len())
		}
		for _, l := range []string{"d", "e", "f", "g", "h"} {
			v.With(l).Inc()
		}
		wantSeries(t, v, `l="x"`, `l="y"`, `l="d"`, `l="e"`, `l="overflow"`)
	})
}

// A gauge for which there is no room is on no page until there is.
func TestGaugeComesBackWhenThereIsRoom(t *testing.T) {
	inTime(t, "", func(t *testing.T) {
		reg := telltale.NewRegistry(telltale.WithFamilySeriesLimit(1))
		v := telltale.Must(telltale.NewGaugeVec("g", "", []string{"l"}, telltale.In(reg), telltale.WithIdleExpiry(idle)))
		a := v.With("a")
		a.Set(1)
		beSeen(t, v)
		time.Sleep(idle)
		b := v.With("b")
		b.Set(2)
		a.Set(3)
		wantPage(t, v, "# TYPE g gauge\ng{l=\"b\"} 2.0\n")
		v.Remove("b")
		a.Set(4)
		b.Set(5)
		wantPage(t, v, "# TYPE g gauge\ng{l=\"a\"} 4.0\n")
	})
}

// Removal ends handles, whether their series had left before or not.
func TestHandlesOfExpiredSeriesAndRemoval(t *testing.T) {
	for name, remove := range map[string]func(v *telltale.CounterVec){
		"Clear":   func(v *telltale.CounterVec) { v.Clear() },
		"Replace": func(v *telltale.CounterVec) { v.Replace(func(next *telltale.CounterVec) { next.With("x").Inc() }) },
	} {
		inTime(t, name, func(t *testing.T) {
			reg, v := newExpiring()
			left, there := v.With("left"), v.With("there")
			left.Inc()
			beSeen(t, reg)
			time.Sleep(idle)
			there.Inc()
			wantSeries(t, reg, `l="there"`)
			remove(v)
			left.Inc()
			there.Inc()
			left.Add(0.5)
			wantSeries(t, reg, map[string][]string{"Clear": nil, "Replace": {`l="x"`}}[name]...)
			v.With("left").Inc()
			beSeen(t, reg)
			time.Sleep(idle)
			wantSeries(t, reg)
		})
	}
	inTime(t, "Remove", func(t *testing.T) {
		reg, v := newExpiring()
		old := v.With("x")
		old.Inc()
		beSeen(t, reg)
		time.Sleep(idle)
		wantSeries(t, reg)
		if v.Remove("x") {
			t.Error("a series that has left is removed")
		}
		old.Inc()
		if !v.Remove("x") {
			t.Error("a series that has come back is not removed")
		}
		old.Inc()
		wantSeries(t, reg)
		v.With("x").Add(3)
		old.Inc()
		wantPage(t, reg, "# TYPE c_total counter\nc_total{l=\"x\"} 3.0\n")
	})
}

// Memory is bounded if nobody collects, whatever comes.
func TestExpiryWithoutScrapes(t *testing.T) {
	inTime(t, "", func(t *testing.T) {
		v := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.Unregistered(), telltale.WithSeriesLimit(0), telltale.WithIdleExpiry(idle)))
		const inExpiry = 1000 // series that come in the time after which they leave
		stays := v.With("stays")
		for i := range 20 * inExpiry {
			v.With(fmt.Sprint(i)).Inc()
			stays.Inc()
			time.Sleep(idle / inExpiry)
			if n := v.Len(); n > 3*inExpiry {
				t.Fatalf("%d series are there after %d creations", n, i+1)
			}
		}
		if stays.Value() != 20*inExpiry {
			t.Errorf("the series that is always updated is at %v", stays.Value())
		}
	})
}

func TestWithIdleExpiryRefused(t *testing.T) {
	ok := telltale.WithIdleExpiry(idle)
	made := func(_ any, err error) error { return err }
	alone, labels := telltale.Unregistered(), []string{"l"}
	for _, tt := range []struct {
		name, want string
		err        error
	}{
		{"0", "WithIdleExpiry(0s)", made(telltale.NewCounterVec("c", "", labels, alone, telltale.WithIdleExpiry(0)))},
		{"negative", "WithIdleExpiry(-1s)", made(telltale.NewGauge("g", "", alone, telltale.WithIdleExpiry(-time.Second)))},
		{"callback", "cannot expire", made(telltale.NewGaugeFunc("g", "", labels, telltale.SingleValue(func() float64 { return 1 }), alone, ok))},
	} {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
			t.Errorf("%s: the error is %v, want one with %s", tt.name, tt.err, tt.want)
		}
	}
	reg := telltale.NewRegistry()
	first := telltale.Must(telltale.NewCounterVec("c", "", labels, telltale.In(reg), ok))
	again := telltale.Must(telltale.NewCounterVec("c", "", labels, telltale.In(reg), telltale.WithIdleExpiry(60*time.Second)))
	if first.With("x") != again.With("x") {
		t.Error("equal definitions give two instruments")
	}
	_, err := telltale.NewCounterVec("c", "", labels, telltale.In(reg), telltale.WithIdleExpiry(time.Hour))
	_ = duplicateIn(t, err, "c", "c_created", "c_total")
	if !strings.Contains(err.Error(), "expiry after 1m0s") {
		t.Errorf("the error does not say what differs: %v", err)
	}
}

func TestUpdatesOfExpiringSeriesDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	reg := telltale.NewRegistry()
	labels, in, expiry := []string{"l"}, telltale.In(reg), telltale.WithIdleExpiry(time.Hour)
	v := telltale.Must(telltale.NewCounterVec("c", "", labels, in, expiry))
	c := v.With("x")
	g := telltale.Must(telltale.NewGaugeVec("g", "", labels, in, expiry)).With("x")
	h := telltale.Must(telltale.NewHistogramVec("h", "", labels, in, expiry)).With("x")
	n := telltale.Must(telltale.NewHistogramVec("n", "", labels, in, expiry, telltale.WithNativeBuckets(1.1))).With("x")
	m := telltale.Must(telltale.NewSummaryVec("m", "", labels, in, expiry)).With("x")
	e := telltale.Must(telltale.NewEnumVec("e", "", []string{"off", "on"}, labels, in, expiry)).With("x")
	value := 0.5
	for name, f := range map[string]func(){
		"With":               func() { v.With("x").Inc() },
		"Counter.Inc":        c.Inc,
		"Counter.Add":        func() { c.Add(value) },
		"Counter.Value":      func() { _ = c.Value() },
		"Gauge.Set":          func() { g.Set(value) },
		"Gauge.Add":          func() { g.Add(value) },
		"Histogram.Observe":  func() { h.Observe(value) },
		"Histogram, native":  func() { n.Observe(value) },
		"Summary.Observe":    func() { m.Observe(value) },
		"Enum.Set":           func() { _ = e.Set("on") },
		"a gauge, set after": func() { g.Set(value); g.Inc() },
	} {
		budget(t, name, 0, f)
	}
	text := func() {
		if err := telltale.WriteLatest(t.Context(), io.Discard, reg); err != nil {
			t.Error(err)
		}
	}
	few := least(20, text)
	for i := range 1000 {
		v.With(fmt.Sprint(i)).Inc()
	}
	if many := least(20, text); many > few+1 {
		t.Errorf("a page of a thousand series more takes %v allocations, %v without", many, few)
	}
}
