package exposition_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"telltale/exposition"
	"telltale/exposition/protobuf"
	"telltale/model"
)

// held returns a family as protobuf can hold it.
func held(f *model.Family) *model.Family {
	h := &model.Family{Name: f.Name, Help: f.Help, Unit: f.Unit, Type: f.Type}
	switch f.Type {
	case model.Counter, model.Info:
		h.Name = f.SampleName()
	}
	if f.Type == model.Info || f.Type == model.StateSet {
		h.Type = model.Gauge
	}
	var scratch model.Point
	_ = f.Visit(&scratch, func(p *model.Point) error {
		q := p.Clone()
		if q.Timestamp.IsSet() {
			q.Timestamp = model.UnixMilli(q.Timestamp.UnixMilli())
		}
		switch f.Type {
		case model.Info:
			q.Has, q.Labels, q.Info = model.PartValue, q.Labels.Append(q.Info), model.Labels{}
		case model.StateSet:
			for _, s := range q.States {
				one := model.Point{Labels: q.Labels.Append(model.LabelPairs([]string{f.Name}, []string{s.Name})), Has: model.PartValue, Timestamp: q.Timestamp}
				if s.On {
					one.Value = 1
				}
				h.Append(one)
			}
			return nil
		}
		h.Append(q)
		return nil
	})
	return h
}

// Whatever the families, protobuf gives them back as far as it can hold them.
func TestRandomFamiliesReturnFromProtobuf(t *testing.T) {
	format := exposition.Protobuf.WithEscaping(model.AllowUTF8)
	for seed := range uint64(300) {
		r := invention{Rand: rand.New(rand.NewPCG(seed, 2)), native: true}
		var all, want []*model.Family
		for i := range 10 {
			f := r.family(i)
			all, want = append(all, f), append(want, held(f))
		}
		written := page(t, format, all, exposition.WithDropped(func(d exposition.Drop) { t.Errorf("dropped: %+v", d) }))
		got, err := parse(written, format)
		if err != nil {
			t.Fatalf("seed %d: %v in\n%q", seed, err, written)
		}
		for i, f := range got {
			if d := unlike(f, want[i]); d != "" {
				t.Fatalf("seed %d: %s", seed, d)
			}
		}
		if again := page(t, format, got); !bytes.Equal(again, written) {
			t.Fatalf("seed %d: written again, the page is %q, was %q", seed, again, written)
		}
	}
}

// points returns copies of a family's points.
func points(f *model.Family) []model.Point {
	var all []model.Point
	var scratch model.Point
	_ = f.Visit(&scratch, func(p *model.Point) error {
		all = append(all, p.Clone())
		return nil
	})
	return all
}

// unlike says how two families differ, point by point.
func unlike(got, want *model.Family) string {
	if got.Name != want.Name || got.Help != want.Help || got.Unit != want.Unit || got.Type != want.Type {
		return fmt.Sprintf("got family %+v\nwant %+v", got, want)
	}
	a, b := points(got), points(want)
	if len(a) != len(b) {
		return fmt.Sprintf("%q has %d series, want %d", got.Name, len(a), len(b))
	}
	for i := range a {
		if x, y := spelled(reflect.ValueOf(a[i])), spelled(reflect.ValueOf(b[i])); x != y {
			return fmt.Sprintf("%q (%s):\n got %s\nwant %s", got.Name, got.Type, x, y)
		}
	}
	return ""
}

// spelled spells a value out: NaN is like NaN, an empty slice like none, and what is
// not there at the end of a slice does not count.
func spelled(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Float64:
		return fmt.Sprintf("%b", v.Float())
	case reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		return spelled(v.Elem())
	case reflect.Struct:
		s := v.Type().Name() + "{"
		for i := range v.NumField() {
			s += v.Type().Field(i).Name + ":" + spelled(v.Field(i)) + " "
		}
		return s + "}"
	case reflect.Slice:
		s := "["
		for i := range v.Len() {
			s += spelled(v.Index(i)) + " "
		}
		for strings.HasSuffix(s, "nil ") {
			s = strings.TrimSuffix(s, "nil ")
		}
		return s + "]"
	}
	return fmt.Sprintf("%v", v)
}

// A large family is several messages, and one family again. However large it
// is, the encoder needs the same memory.
func TestLargeFamilyInProtobuf(t *testing.T) {
	large, err := model.NewFamily("large", "Help.", model.Gauge, model.WithSource(gauges(50_000)))
	if err != nil {
		t.Fatal(err)
	}
	after := &model.Family{Name: "after", Type: model.Gauge}
	written := page(t, exposition.Protobuf, []*model.Family{large, after})
	s := protobuf.NewScanner(bytes.NewReader(written))
	messages, series := 0, 0
	for {
		e, err := s.Next()
		if err != nil {
			break
		}
		switch e.Kind {
		case protobuf.KindFamily:
			messages++
		case protobuf.KindSeries:
			if e.Point.Value != float64(series) {
				t.Fatalf("series %d has the value %v", series, e.Point.Value)
			}
			series++
		}
	}
	if want := len(written)>>20 + 2; messages != want || series != 50_000 {
		t.Errorf("%d messages of %d series, want %d of 50000", messages, series, want)
	}
	got, err := parse(written, exposition.Protobuf)
	if err != nil || len(got) != 2 || len(points(got[0])) != 50_000 || got[0].Name != "large" {
		t.Fatalf("got %d families, %v", len(got), err)
	}
	if _, err := parse(append(slices.Clone(written), page(t, exposition.Protobuf, []*model.Family{large})...), exposition.Protobuf); err == nil {
		t.Error("a family comes again after another one")
	}
}

// What the format cannot hold is dropped and told.
func TestProtobufDrops(t *testing.T) {
	family := func(typ model.Type, p model.Point) *model.Family {
		f := &model.Family{Name: "f", Type: typ}
		f.Append(p)
		return f
	}
	native := func(n model.NativeHistogram) *model.Family {
		return family(model.Histogram, model.Point{Histogram: &model.HistogramValue{Native: &n}})
	}
	bounds, err := model.NewBounds([]float64{1})
	if err != nil {
		t.Fatal(err)
	}
	buckets := func(v float64) *model.Family {
		return family(model.Histogram, model.Point{Has: model.PartBucket, Histogram: &model.HistogramValue{Bounds: bounds, Cumulative: []float64{v}}})
	}
	loose := &model.Family{Name: "f", Type: model.Gauge}
	loose.AddSample("f_max", nil, 1)
	for _, test := range []struct {
		name   string
		family *model.Family
		want   exposition.Drop
	}{
		{"a loose sample", loose, exposition.Drop{Family: "f", Sample: "f_max", Reason: exposition.LooseSample}},
		{"a nameless family", &model.Family{}, exposition.Drop{Reason: exposition.NoName}},
		{"an exemplar of a gauge", family(model.Gauge, model.Point{Has: model.PartValue, Exemplar: &model.Exemplar{}}),
			exposition.Drop{Family: "f", Sample: "f", Reason: exposition.MisplacedExemplar}},
		{"a summary's fraction", family(model.Summary, model.Point{Has: model.PartCount, Summary: &model.SummaryValue{Count: 0.5}}),
			exposition.Drop{Family: "f", Sample: "f_count", Reason: exposition.UnfitCount}},
		{"a negative bucket", buckets(-1), exposition.Drop{Family: "f", Sample: "f_bucket", Reason: exposition.UnfitCount}},
		{"a bucket of NaN", buckets(math.NaN()), exposition.Drop{Family: "f", Sample: "f_bucket", Reason: exposition.UnfitCount}},
		{"spans without buckets", native(model.NativeHistogram{PositiveSpans: []model.Span{{Length: math.MaxUint32}}}), exposition.Drop{Family: "f", Sample: "f", Reason: exposition.UnfitNative}},
		{"a foreign schema", native(model.NativeHistogram{Schema: 9}), exposition.Drop{Family: "f", Sample: "f", Reason: exposition.UnfitNative}},
		{"custom buckets without bounds", native(model.NativeHistogram{Schema: model.CustomBucketsSchema, Positive: []float64{1, 2}, PositiveSpans: []model.Span{{Length: 2}}}),
			exposition.Drop{Family: "f", Sample: "f", Reason: exposition.UnfitNative}},
		{"a native exemplar without a time", native(model.NativeHistogram{Exemplars: []model.Exemplar{{Value: 1}}}),
			exposition.Drop{Family: "f", Sample: "f", Reason: exposition.UntimedExemplar}},
	} {
		var drops []exposition.Drop
		written := page(t, exposition.Protobuf, []*model.Family{test.family}, exposition.WithDropped(func(d exposition.Drop) { drops = append(drops, d) }))
		if !slices.Equal(drops, []exposition.Drop{test.want}) {
			t.Errorf("%s: dropped %+v, want %+v", test.name, drops, test.want)
		}
		if _, err := parse(written, exposition.Protobuf); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// There is no place for custom bounds but among classic buckets.
func TestCustomBucketsInProtobuf(t *testing.T) {
	f := &model.Family{Name: "f", Type: model.Histogram}
	f.Append(model.Point{Histogram: &model.HistogramValue{Native: &model.NativeHistogram{
		Schema: model.CustomBucketsSchema, Count: 6, Sum: 7, CustomBounds: []float64{1, 2.5, 5},
		PositiveSpans: []model.Span{{Offset: 1, Length: 1}, {Offset: 1, Length: 1}}, Positive: []float64{4, 2},
	}}})
	got, err := parse(page(t, exposition.Protobuf, []*model.Family{f}), exposition.Protobuf)
	if err != nil {
		t.Fatal(err)
	}
	want := "# HELP f \n# TYPE f histogram\nf_bucket{le=\"1.0\"} 0.0\nf_bucket{le=\"2.5\"} 4.0\nf_bucket{le=\"5.0\"} 4.0\nf_bucket{le=\"+Inf\"} 6.0\nf_count 6.0\nf_sum 7.0\n"
	if text := page(t, exposition.Text004, got); string(text) != want {
		t.Errorf("got\n%swant\n%s", text, want)
	}
}

// What a restriction leaves is untyped, under the names of the samples.
func TestRestrictedInProtobuf(t *testing.T) {
	bounds, err := model.NewBounds([]float64{1})
	if err != nil {
		t.Fatal(err)
	}
	h := &model.Family{Name: "h", Help: "Help.", Type: model.Histogram}
	labels := model.LabelPairs([]string{"a"}, []string{"b"})
	h.Append(model.Point{Labels: labels, Has: h.Type.Parts(), Created: model.Unix(5, 0),
		Histogram: &model.HistogramValue{Bounds: bounds, Cumulative: []float64{1}, Count: 3, Sum: 4}})
	s := &model.Family{Name: "s", Type: model.Summary}
	s.Append(model.Point{Labels: labels, Has: s.Type.Parts(), Summary: &model.SummaryValue{Quantiles: []model.Quantile{{Q: 0.5, V: 2}}}})
	c := &model.Family{Name: "c", Type: model.Counter}
	c.Append(model.Point{Labels: labels, Has: c.Type.Parts(), Value: 2, Created: model.Unix(5, 0)})
	for _, test := range []struct {
		family *model.Family
		left   []string
		want   string
	}{
		{h, []string{"h_count", "h_bucket"}, "# HELP h_bucket Help.\n# TYPE h_bucket untyped\nh_bucket{a=\"b\",le=\"1.0\"} 1.0\nh_bucket{a=\"b\",le=\"+Inf\"} 3.0\n" +
			"# HELP h_count Help.\n# TYPE h_count untyped\nh_count{a=\"b\"} 3.0\n"},
		{h, []string{"h_created"}, "# HELP h_created Help.\n# TYPE h_created untyped\nh_created{a=\"b\"} 5.0\n"},
		{s, []string{"s"}, "# HELP s \n# TYPE s summary\ns{a=\"b\",quantile=\"0.5\"} 2.0\ns_count{a=\"b\"} 0.0\ns_sum{a=\"b\"} 0.0\n"},
		{s, []string{"s_sum"}, "# HELP s_sum \n# TYPE s_sum untyped\ns_sum{a=\"b\"} 0.0\n"},
		{c, []string{"c_total"}, "# HELP c_total \n# TYPE c_total counter\nc_total{a=\"b\"} 2.0\n"},
		{c, []string{"c_created"}, "# HELP c_created \n# TYPE c_created untyped\nc_created{a=\"b\"} 5.0\n"},
		{c, nil, ""},
	} {
		left, _ := test.family.Restrict(func(name string) bool { return slices.Contains(test.left, name) })
		got, err := parse(page(t, exposition.Protobuf, []*model.Family{left}), exposition.Protobuf)
		if err != nil {
			t.Fatal(err)
		}
		if text := page(t, exposition.Text004, got); string(text) != test.want {
			t.Errorf("%q: got\n%swant\n%s", test.left, text, test.want)
		}
	}
}

// Errors of the source end its family and not the page.
func TestSourceFailsInProtobuf(t *testing.T) {
	broken, err := model.NewFamily("broken", "", model.Gauge, model.WithSource(brokenSource{}))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	e := exposition.NewEncoder(&out, exposition.Protobuf)
	if err := e.Encode(broken); !errors.Is(err, errFull) {
		t.Errorf("the source's error is lost: %v", err)
	}
	if err := errors.Join(e.Encode(&model.Family{Name: "next"}), e.Close()); err != nil {
		t.Error(err)
	}
	if got, err := parse(out.Bytes(), exposition.Protobuf); err != nil || len(got) != 2 || got[1].Name != "next" {
		t.Errorf("got %d families, %v", len(got), err)
	}
}

// checkProtobuf fails the test if a page is not well-formed. Values that make no
// sense are written as they are.
func checkProtobuf(t testing.TB, page []byte) {
	t.Helper()
	_, err := parse(page, exposition.Protobuf)
	var wrong *protobuf.SyntaxError
	senseless := []string{"Bucket.cumulative_count", "Quantile.quantile", "Summary.quantile"}
	if err != nil && (!errors.As(err, &wrong) || !slices.Contains(senseless, wrong.Field)) {
		t.Errorf("%v in %q", err, page)
	}
}

// FuzzProtobuf parses any bytes. What parses is written and parsed the same, but
// for what encoders put right.
func FuzzProtobuf(f *testing.F) {
	format := exposition.Protobuf.WithEscaping(model.AllowUTF8)
	f.Add(page(f, format, families(f)))
	for _, family := range families(f) {
		f.Add(page(f, format, []*model.Family{family}))
	}
	r := invention{Rand: rand.New(rand.NewPCG(1, 3)), native: true}
	for i := range 20 {
		f.Add(page(f, format, []*model.Family{r.family(i)}))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := parse(in, format)
		if err != nil {
			return
		}
		written := page(t, format, first, exposition.WithDropped(func(d exposition.Drop) {
			if d.Reason != exposition.MisplacedExemplar && d.Reason != exposition.UnfitCount {
				t.Errorf("dropped: %+v", d)
			}
		}))
		second, err := parse(written, format)
		if err != nil {
			t.Fatalf("%v in\n%q\nfrom\n%q", err, written, in)
		}
		if again := page(t, format, second); !bytes.Equal(again, written) {
			t.Fatalf("got %q\nwant %q\nfrom %q", again, written, in)
		}
		if len(first) != len(second) {
			t.Fatalf("%d families became %d", len(first), len(second))
		}
		for i := range first {
			if d := unlike(second[i], first[i]); d != "" && !bytes.Contains([]byte(d), []byte("Histogram")) {
				t.Fatalf("%s\nfrom %q", d, in)
			}
		}
	})
}
