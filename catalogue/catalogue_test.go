package catalogue_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"telltale"
	"telltale/catalogue"
	"telltale/exposition"
	"telltale/model"
)

type line struct {
	Method string
	Code   int
}

// service is a registry with an instrument of each kind, none with a series of its labels.
func service(t testing.TB) *telltale.Registry {
	t.Helper()
	reg := telltale.NewRegistry()
	in := telltale.In(reg)
	shop := telltale.WithConstLabels(map[string]string{"shop": "de"})
	_ = telltale.Must(telltale.NewCounterVec("requests", "Requests.", []string{"code", "method"}, in, shop))
	_ = telltale.Must(telltale.NewCounterOf[line]("lines", "Lines.", in))
	_ = telltale.Must(telltale.NewGaugeVec("temperature", "Air.", []string{"room"}, in, telltale.WithUnit("celsius")))
	_ = telltale.Must(telltale.NewHistogramVec("latency", "Latency.", []string{"route"}, in, telltale.WithUnit("seconds"), telltale.WithBuckets(0.1, 1)))
	_ = telltale.Must(telltale.NewHistogramVec("sizes_bytes", "Sizes.", []string{"route"}, in, telltale.WithNativeBuckets(1.1)))
	_ = telltale.Must(telltale.NewSummaryVec("waits_seconds", "Waits.", []string{"queue"}, in, telltale.WithQuantiles(0.5, 0.99)))
	_ = telltale.Must(telltale.NewEnumVec("state", "State.", []string{"up", "down"}, []string{"worker"}, in))
	_ = telltale.Must(telltale.NewInfo("build", "Build.", in))
	return reg
}

func of(t testing.TB, c telltale.Collector) *catalogue.Catalogue {
	t.Helper()
	var list catalogue.Catalogue
	if err := c.Collect(t.Context(), list.Add); err != nil {
		t.Fatal(err)
	}
	return &list
}

func written(t testing.TB, c *catalogue.Catalogue) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func summary(f *catalogue.Family) string {
	s := fmt.Sprintf("%s %s %s %s%v", f.Name, f.Type, f.Unit, f.Help, f.Labels)
	if f.Buckets != nil {
		s += fmt.Sprint(" buckets ", f.Buckets)
	}
	if f.Native {
		s += " native"
	}
	if f.Quantiles != nil {
		s += fmt.Sprint(" quantiles ", f.Quantiles)
	}
	if f.States != nil {
		s += fmt.Sprint(" states ", f.States)
	}
	return s
}

func TestInstrumentsWithoutSeries(t *testing.T) {
	want := []string{
		"build info  Build.[]",
		"latency_seconds histogram seconds Latency.[route] buckets [0.1 1]",
		"lines counter  Lines.[code method]",
		"requests counter  Requests.[code method shop]",
		"sizes_bytes histogram  Sizes.[route] native",
		"state stateset  State.[worker] states [down up]",
		"temperature_celsius gauge celsius Air.[room]",
		"waits_seconds summary  Waits.[queue] quantiles [0.5 0.99]",
	}
	var got []string
	for _, f := range of(t, service(t)).Families() {
		got = append(got, summary(f))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A view's labels and prefix are in the catalogue as they are on the page.
func TestView(t *testing.T) {
	reg := service(t)
	view := telltale.Must(telltale.Labelled(telltale.Must(telltale.Prefixed(reg, "eu_")), map[string]string{"pool": "a"}))
	for _, f := range of(t, view).Families() {
		if !strings.HasPrefix(f.Name, "eu_") || !slices.Contains(f.Labels, "pool") {
			t.Errorf("%s", summary(f))
		}
	}
}

// The catalogue of a page that has series equals that of the registry.
func TestPageAndRegistry(t *testing.T) {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounterVec("requests", "Requests.", []string{"code"}, telltale.In(reg))).With("200").Inc()
	telltale.Must(telltale.NewHistogram("latency_seconds", "Latency.", telltale.In(reg), telltale.WithBuckets(0.1, 1))).Observe(1)
	telltale.Must(telltale.NewEnum("state", "State.", []string{"up", "down"}, telltale.In(reg)))
	var page bytes.Buffer
	enc := exposition.NewEncoder(&page, exposition.OpenMetrics1)
	if err := errors.Join(reg.Collect(t.Context(), enc.Encode), enc.Close()); err != nil {
		t.Fatal(err)
	}
	var read catalogue.Catalogue
	p := exposition.NewParser(&page, exposition.OpenMetrics1)
	for f, err := p.Next(); !errors.Is(err, io.EOF); f, err = p.Next() {
		if err := errors.Join(err, read.Add(f)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := written(t, &read), written(t, of(t, reg)); got != want {
		t.Errorf("the page's catalogue is\n%s\nthe registry's\n%s", got, want)
	}
}

func TestCompare(t *testing.T) {
	change := func(f func(*model.Family, *model.Point)) *catalogue.Catalogue {
		family := telltale.Must(model.NewFamily("latency", "Latency.", model.Histogram, model.WithUnit("seconds")))
		p := model.Point{
			Labels: model.LabelPairs([]string{"route"}, []string{"/"}), Has: model.PartBucket,
			Histogram: &model.HistogramValue{Bounds: telltale.Must(model.NewBounds([]float64{0.1, 1, math.Inf(1)})), Cumulative: []float64{0, 0, 0}},
		}
		f(family, &p)
		family.Append(p)
		var c catalogue.Catalogue
		if err := c.Add(family); err != nil {
			t.Fatal(err)
		}
		return &c
	}
	for _, test := range []struct {
		name   string
		change func(*model.Family, *model.Point)
		want   []string
	}{
		{"nothing", func(*model.Family, *model.Point) {}, nil},
		{"other values", func(_ *model.Family, p *model.Point) {
			p.Histogram.Count, p.Labels = 7, model.LabelPairs([]string{"route"}, []string{"/x"})
		}, nil},
		{"renamed", func(f *model.Family, _ *model.Point) { f.Name = "delay_seconds" }, []string{
			"delay_seconds: it is new", `latency_seconds: it is gone, and "delay_seconds" has its help text`,
		}},
		{"renamed, other help", func(f *model.Family, _ *model.Point) { f.Name, f.Help = "delay_seconds", "Delay." }, []string{
			"delay_seconds: it is new", "latency_seconds: it is gone",
		}},
		{"help", func(f *model.Family, _ *model.Point) { f.Help = "Time." }, []string{`latency_seconds: the help is "Time.", was "Latency."`}},
		{"type", func(f *model.Family, p *model.Point) { f.Type, p.Histogram = model.Gauge, nil }, []string{
			`latency_seconds: the type is "gauge", was "histogram"`, "latency_seconds: the bucket 0.1 is gone", "latency_seconds: the bucket 1 is gone",
		}},
		{"no unit is told", func(f *model.Family, _ *model.Point) { f.Unit = "" }, nil},
		{"label", func(_ *model.Family, p *model.Point) { p.Labels = model.LabelPairs([]string{"path"}, []string{"/"}) }, []string{
			`latency_seconds: the label "route" is gone`, `latency_seconds: the label "path" is new`,
		}},
		{"buckets", func(_ *model.Family, p *model.Point) {
			p.Histogram.Bounds = telltale.Must(model.NewBounds([]float64{0.2, 1, math.Inf(1)}))
		}, []string{"latency_seconds: the bucket 0.1 is gone", "latency_seconds: the bucket 0.2 is new"}},
		{"native", func(_ *model.Family, p *model.Point) { p.Histogram.Native = new(model.NativeHistogram) }, []string{"latency_seconds: it has native buckets now"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, d := range catalogue.Compare(change(func(*model.Family, *model.Point) {}), change(test.change)) {
				got = append(got, d.String())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestRead(t *testing.T) {
	whole := written(t, of(t, service(t)))
	for _, test := range []struct{ name, content, fault string }{
		{"a whole file", whole, ""},
		{"no family", `{"families": []}`, ""},
		{"nothing", "", "unexpected EOF"},
		{"cut off", whole[:len(whole)/2], "unexpected EOF"},
		{"two files", whole + whole, "something follows"},
		{"a list", `[]`, "cannot unmarshal"},
		{"a member that is not known", `{"families": [], "more": 1}`, "unknown field"},
		{"a family without a name", `{"families": [{"name": ""}]}`, "family 1 of the file has no name"},
		{"null", `{"families": [null]}`, "family 1 of the file has no name"},
		{"a family twice", `{"families": [{"name": "a"}, {"name": "a"}]}`, `names "a" twice`},
		{"a large file", `{"families": [` + strings.Repeat(" ", catalogue.MostBytes) + `]}`, "more than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := catalogue.Read(strings.NewReader(test.content))
			switch {
			case test.fault == "" && err != nil || test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)):
				t.Errorf("the error is %v, want %q", err, test.fault)
			case err == nil && test.content == whole && written(t, c) != whole:
				t.Errorf("it is written as\n%s", written(t, c))
			}
		})
	}
}

// Lists that somebody wrote by hand in another order are the same catalogue.
func TestReadUnsorted(t *testing.T) {
	whole := of(t, service(t))
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	shuffled := *whole
	for _, f := range shuffled.Families() {
		r.Shuffle(len(f.Labels), func(i, j int) { f.Labels[i], f.Labels[j] = f.Labels[j], f.Labels[i] })
		r.Shuffle(len(f.Buckets), func(i, j int) { f.Buckets[i], f.Buckets[j] = f.Buckets[j], f.Buckets[i] })
	}
	read, err := catalogue.Read(strings.NewReader(written(t, &shuffled)))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := written(t, read), written(t, of(t, service(t))); got != want {
		t.Errorf("seed %d: got\n%s\nwant\n%s", seed, got, want)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(written(f, of(f, service(f))))
	f.Add(`{"families": [{"name": "a", "labels": [], "buckets": [1e308, -1]}]}`)
	f.Fuzz(func(t *testing.T, content string) {
		c, err := catalogue.Read(strings.NewReader(content))
		if err != nil {
			return
		}
		text := written(t, c)
		again, err := catalogue.Read(strings.NewReader(text))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, text)
		}
		if d := catalogue.Compare(c, again); len(d) > 0 || written(t, again) != text {
			t.Fatalf("reading again gives %v\n%s", d, text)
		}
	})
}
