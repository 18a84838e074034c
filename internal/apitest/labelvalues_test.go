package apitest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"telltale"
)

// Values that are not declared count as other, and are no fault.
func TestDeclaredLabelValues(t *testing.T) {
	var w witness
	reg, v := newVec(&w, []string{"method", "path"}, telltale.WithLabelValues("method", "GET", "POST"))
	v.With("GET", "/").Inc()
	for i, method := range []string{"BREW", "get", "\xff", "", strings.Repeat("x", 5000), "overflow", "other"} {
		v.With(method, "/").Inc()
		if v.WithLabels(map[string]string{"method": method, "path": "/"}) != v.With("other", "/") || curry(t, v, "method", method).With("/") != v.With("other", "/") {
			t.Errorf("value %d is not other", i)
		}
	}
	wantPage(t, reg, "# TYPE c_total counter\nc_total{method=\"GET\",path=\"/\"} 1.0\nc_total{method=\"other\",path=\"/\"} 7.0\n")
	w.want(t)
	v.With("BREW", "\xff").Inc()
	w.want(t, telltale.ReasonInvalidUTF8)
	if !v.Remove("STEEP", "/") || v.RemoveMatching(map[string]string{"method": "BREW"}) != 1 {
		t.Error("Remove and RemoveMatching do not take a value for what With takes it")
	}
	wantSeries(t, v, `method="GET",path="/"`)
}

// The series of overflow is not one that a client can name.
func TestDeclaredLabelValuesBeyondTheLimit(t *testing.T) {
	var w witness
	_, v := newVec(&w, []string{"method", "path"}, telltale.WithLabelValues("method", "GET"), telltale.WithSeriesLimit(1))
	v.With("GET", "/").Inc()
	v.With("GET", "/x").Inc()
	v.With("BREW", "/").Inc()
	v.With("overflow", "overflow").Inc() // other, overflow
	if got := v.With("GET", "/z").Value(); got != 3 {
		t.Errorf("the series of overflow counted %v, want 3", got)
	}
	v.Remove("GET", "/")
	v.With("overflow", "overflow").Inc()
	wantSeries(t, v, `method="overflow",path="overflow"`, `method="other",path="overflow"`)
}

type httpMethod string

func (httpMethod) LabelValues() []string { return []string{"GET", "POST"} }

type httpCode uint16

func (*httpCode) LabelValues() []string { return []string{"200", "404"} }

type call struct {
	Method httpMethod
	Code   httpCode
	Cached bool
}

func TestLabelValuesOfTypes(t *testing.T) {
	reg := telltale.NewRegistry()
	of := telltale.Must(telltale.NewCounterOf[call]("c", "", telltale.In(reg)))
	of.With(call{"GET", 200, true}).Inc()
	of.With(call{"PUT", 418, false}).Inc()
	of.With(call{"PATCH", 500, false}).Inc()
	wantPage(t, reg, "# TYPE c_total counter\nc_total{method=\"GET\",code=\"200\",cached=\"true\"} 1.0\nc_total{method=\"other\",code=\"other\",cached=\"false\"} 2.0\n")
	vec := telltale.Must(telltale.NewCounterVec("c", "", []string{"method", "code", "cached"}, telltale.In(reg),
		telltale.WithLabelValues("code", "404", "200"), telltale.WithLabelValues("method", "POST", "GET", "other")))
	if vec.With("GET", "200", "true") != of.With(call{"GET", 200, true}) {
		t.Error("the same values give another instrument")
	}
	given := telltale.Must(telltale.NewCounterOf[call]("given", "", telltale.In(reg), telltale.WithLabelValues("method", "PUT")))
	given.With(call{"GET", 200, true})
	given.With(call{"PUT", 200, true})
	wantSeries(t, given, `method="other",code="200",cached="true"`, `method="PUT",code="200",cached="true"`)
}

func TestInitialSeries(t *testing.T) {
	want := []string{
		`method="GET",code="200",cached="false"`, `method="GET",code="200",cached="true"`, `method="GET",code="404",cached="false"`, `method="GET",code="404",cached="true"`,
		`method="GET",code="other",cached="false"`, `method="GET",code="other",cached="true"`, `method="POST",code="200",cached="false"`, `method="POST",code="200",cached="true"`,
		`method="POST",code="404",cached="false"`, `method="POST",code="404",cached="true"`, `method="POST",code="other",cached="false"`, `method="POST",code="other",cached="true"`,
		`method="other",code="200",cached="false"`, `method="other",code="200",cached="true"`, `method="other",code="404",cached="false"`, `method="other",code="404",cached="true"`,
		`method="other",code="other",cached="false"`, `method="other",code="other",cached="true"`,
	}
	for name, in := range map[string]telltale.Option{"registered": telltale.In(telltale.NewRegistry(telltale.WithTotalSeriesLimit(20))), "unregistered": telltale.Unregistered()} {
		make := func() *telltale.CounterOf[call] {
			return telltale.Must(telltale.NewCounterOf[call]("c", "", in, telltale.WithInitialSeries(), telltale.WithSeriesLimit(18)))
		}
		of := make()
		wantSeries(t, of, want...)
		of.Remove(call{"GET", 200, false})
		if name == "registered" {
			make() // the same
		}
		wantSeries(t, of, want[1:]...)
		of.Clear()
		wantSeries(t, of)
	}
	reg := telltale.NewRegistry(telltale.WithTotalSeriesLimit(4))
	in := telltale.In(reg)
	a := telltale.Must(telltale.NewCounterVec("a", "", []string{"l"}, in, telltale.WithInitialSeries(), telltale.WithLabelValues("l", "x", "y")))
	b := telltale.Must(telltale.NewCounterVec("b", "", []string{"l"}, in))
	b.With("1").Inc()
	b.With("2").Inc()
	wantSeries(t, b, `l="1"`, `l="overflow"`)
	if err := reg.Unregister(a); err != nil {
		t.Fatal(err)
	}
	a.Remove("x")
	register(t, reg, a)
	wantSeries(t, a, `l="y"`, `l="other"`)
}

func TestDeclaredLabelValueErrors(t *testing.T) {
	type opts = []telltale.CounterOption
	many := make([]string, telltale.MaxLabelValues+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for _, tt := range []struct {
		name string
		opts opts
		says []string
	}{
		{"unknown label", opts{telltale.WithLabelValues("verb", "GET")}, []string{`"verb"`, `"method"`, `counter "c"`}},
		{"none", opts{telltale.WithLabelValues("method")}, []string{`"method"`, "0 declared values"}},
		{"too many", opts{telltale.WithLabelValues("method", many...)}, []string{`"method"`, "10001", "10000"}},
		{"twice", opts{telltale.WithLabelValues("method", "GET", "PUT", "GET")}, []string{`"method"`, `"GET" twice`}},
		{"not UTF-8", opts{telltale.WithLabelValues("method", "\xff")}, []string{`"method"`, `"\xff"`, "UTF-8"}},
		{"too long", opts{telltale.WithLabelValues("method", "GETGET"), telltale.WithLabelValueLimit(5)}, []string{`"GETGET"`, "6 bytes", "5"}},
		{"open label", opts{telltale.WithLabelValues("method", "GET"), telltale.WithInitialSeries()}, []string{`"code"`, "no declared values"}},
		{"more than the limit", opts{telltale.WithLabelValues("method", "GET", "PUT"), telltale.WithLabelValues("code", "1"), telltale.WithInitialSeries(), telltale.WithSeriesLimit(5)}, []string{"more than 5 combinations", `"c"`}},
		{"more than the default limit", opts{telltale.WithLabelValues("method", many[:100]...), telltale.WithLabelValues("code", many[:99]...), telltale.WithInitialSeries()}, []string{"more than 10000 combinations"}},
		{"far too many", opts{telltale.WithLabelValues("method", many[1:]...), telltale.WithLabelValues("code", many[1:]...), telltale.WithInitialSeries(), telltale.WithSeriesLimit(0)}, []string{"more than 1000000 combinations"}},
		{"no room for a hash", opts{telltale.WithLabelValueLimit(16), telltale.WithLabelValueHash()}, []string{"16 bytes", "17"}},
	} {
		_, err := telltale.NewCounterVec("c", "", []string{"method", "code"}, append(tt.opts, telltale.In(telltale.NewRegistry()))...)
		if err == nil {
			t.Errorf("%s: no error", tt.name)
			continue
		}
		for _, part := range tt.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error does not say %s: %v", tt.name, part, err)
			}
		}
	}
	if _, err := telltale.NewCounter("c", "", telltale.Unregistered(), telltale.WithInitialSeries()); err == nil {
		t.Error("a counter without labels has initial series")
	}
	if _, err := telltale.NewCounter("c", "", telltale.Unregistered(), telltale.WithLabelValues("method", "GET")); err == nil {
		t.Error("a counter without labels has declared values")
	}
	calls := func(context.Context, telltale.Observe) error { return nil }
	if _, err := telltale.NewGaugeFunc("g", "", []string{"l"}, calls, telltale.Unregistered(), telltale.WithLabelValues("l", "x")); err == nil || !strings.Contains(err.Error(), "callback") {
		t.Errorf("a callback with declared values: %v", err)
	}
	if _, err := telltale.NewGaugeFunc("g", "", []string{"l"}, calls, telltale.Unregistered(), telltale.WithSeriesLimit(3)); err != nil {
		t.Errorf("a callback with a limit, which an option of many instruments may bring: %v", err)
	}
}

// Limits and declared values are part of what an instrument is.
func TestLimitsAndValuesAreOfTheDefinition(t *testing.T) {
	base := []telltale.CounterOption{telltale.WithLabelValues("l", "x", "y")}
	for name, tt := range map[string]struct {
		opts []telltale.CounterOption
		says string
	}{
		"same":              {base, ""},
		"another order":     {[]telltale.CounterOption{telltale.WithLabelValues("l", "y", "x")}, ""},
		"the default limit": {append(slices.Clone(base), telltale.WithSeriesLimit(telltale.DefaultSeriesLimit)), ""},
		"another limit":     {append(slices.Clone(base), telltale.WithSeriesLimit(5)), "at most 5 series"},
		"other values":      {[]telltale.CounterOption{telltale.WithLabelValues("l", "x", "z")}, `["x" "z" "other"]`},
		"any value":         {nil, `["x" "y" "other"]`},
		"from the start":    {append(slices.Clone(base), telltale.WithInitialSeries()), "from the start"},
		"a hash":            {append(slices.Clone(base), telltale.WithLabelValueHash()), "a hash"},
	} {
		in := telltale.In(telltale.NewRegistry())
		first := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, append(base, in)...))
		second, err := telltale.NewCounterVec("c", "", []string{"l"}, append(slices.Clone(tt.opts), in)...)
		switch {
		case tt.says == "" && (err != nil || first.With("x") != second.With("x")):
			t.Errorf("%s: not the same instrument: %v", name, err)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%s: the error does not say %s: %v", name, tt.says, err)
		}
	}
}

// Long values that begin alike stay apart.
func TestLabelValueHash(t *testing.T) {
	var w witness
	_, v := newVec(&w, []string{"l"}, telltale.WithLabelValueLimit(24), telltale.WithLabelValueHash())
	long := "/users/1234567890123456789"
	for _, value := range []string{long + "0", long + "1", "/usersé" + long} {
		v.With(value).Inc()
		v.With(strings.Clone(value)).Inc()
	}
	v.With("/at/the/limit/of/24/byte").Inc()
	texts, values := seriesOf(t, v)
	if len(texts) != 4 || values[texts[0]] != 2 || texts[0] != `l="/users/~e7d873ef30bbbfc3"` || texts[1] != `l="/users/~9db48a5bf97665db"` ||
		!strings.HasPrefix(texts[2], `l="/users~`) || texts[3] != `l="/at/the/limit/of/24/byte"` {
		t.Errorf("the series are %v", values)
	}
	if !v.Remove(long+"1") || v.RemoveMatching(map[string]string{"l": long + "0"}) != 1 {
		t.Error("a long value does not find its series again")
	}
	for _, f := range w.heard() {
		if f.Reason != telltale.ReasonOversized {
			t.Errorf("fault %v", f)
		}
	}
}
