package exposition_test

import (
	"bytes"
	standard "encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"telltale/exposition/json"
	"telltale/model"
)

// jsonOf returns the families in JSON, of which it checks that others read it.
func jsonOf(t testing.TB, families []*model.Family) []byte {
	t.Helper()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	for _, f := range families {
		if err := e.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if !standard.Valid(out.Bytes()) {
		t.Fatalf("not JSON: %s", out.Bytes())
	}
	return out.Bytes()
}

func fromJSON(page []byte, opts ...json.ParserOption) ([]*model.Family, error) {
	p := json.NewParser(bytes.NewReader(page), opts...)
	var all []*model.Family
	for {
		f, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, err
		}
		all = append(all, f)
	}
}

// withNative has what only this form and protobuf hold whole, and nothing without
// a name.
func withNative(t testing.TB) []*model.Family {
	native, err := model.NewFamily("native", "", model.Histogram)
	if err != nil {
		t.Fatal(err)
	}
	native.AddSample("native", map[string]string{"a": "b"}, 9, model.WithNativeHistogram(&model.NativeHistogram{
		Schema: 3, ZeroThreshold: 1e-128, ZeroCount: 2, Count: 9, Sum: 5.5,
		PositiveSpans: []model.Span{{Offset: -1, Length: 2}, {Offset: 3, Length: 1}}, Positive: []float64{3, 4, 0.5},
		NegativeSpans: []model.Span{{Length: 1}}, Negative: []float64{1}, IsFloat: true,
		Exemplars: []model.Exemplar{{Labels: model.LabelsOf(map[string]string{"t": "1"}), Value: 1, Timestamp: model.Unix(1, 5)}, {Value: math.Inf(1)}},
	}))
	native.AddSample("native_sum", map[string]string{"a": "b"}, 5.5)
	var named []*model.Family
	for _, f := range append(families(t), native) {
		if f.Name != "" {
			named = append(named, f.WithLoose(slices.DeleteFunc(slices.Clone(f.Loose()), func(s model.Sample) bool { return s.Name == "" })))
		}
	}
	return named
}

func TestJSON(t *testing.T) {
	all := withNative(t)
	page := jsonOf(t, all)
	golden(t, "json", page)
	back, err := fromJSON(page)
	if err != nil {
		t.Fatal(err)
	}
	if again := jsonOf(t, back); !bytes.Equal(again, page) {
		a, b := differ(again, page)
		t.Errorf("got  %swant %s", a, b)
	}
	if page := jsonOf(t, nil); string(page) != "[\n]\n" {
		t.Errorf("no families are %q", page)
	}
}

// Families of all kinds return from JSON whole.
func TestRandomFamiliesReturnFromJSON(t *testing.T) {
	for seed := range uint64(300) {
		r := invention{Rand: rand.New(rand.NewPCG(seed, 2)), native: true}
		var all []*model.Family
		for i := range 10 {
			all = append(all, r.family(i))
		}
		got, err := fromJSON(jsonOf(t, all))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(got) != len(all) {
			t.Fatalf("seed %d: %d families of %d", seed, len(got), len(all))
		}
		for i, f := range got {
			a, b := slices.Collect(f.Samples()), slices.Collect(all[i].Samples())
			if f.Name != all[i].Name || f.Help != all[i].Help || f.Unit != all[i].Unit || f.Type != all[i].Type || !slices.EqualFunc(a, b, sameSample) {
				t.Fatalf("seed %d: got %+v\n%+v\nwant %+v\n%+v", seed, f, a, all[i], b)
			}
		}
	}
}

// What is no normal form, and where the error says it is.
func TestJSONErrors(t *testing.T) {
	const head = `{"name":"a","type":"gauge","help":"","unit":"","samples":[`
	for _, c := range []struct {
		name, in     string
		line, column int
	}{
		{"nothing", "", 1, 1},
		{"no array", "{}", 1, 1},
		{"no end", "[", 1, 2},
		{"no end of a family", "[\n {", 2, 3},
		{"more behind it", "[]\n 1", 2, 2},
		{"no JSON", "[\n{]", 2, 2},
		{"no family", "[1]", 1, 2},
		{"an object's end", "[\n}", 2, 1},
		{"no name", "[{}]", 1, 2},
		{"no type", "[\n {\"name\":\"a\"}]", 2, 2},
		{"odd member", "[{\"nme\":\"a\"}]", 1, 2},
		{"number as value", "[" + head + "{\"name\":\"a\",\"value\":1}]}]", 1, 2},
		{"no value", "[" + head + "{\"name\":\"a\"}]}]", 1, 2},
		{"no name of a sample", "[" + head + "{\"value\":\"1\"}]}]", 1, 2},
		{"no number", "[" + head + "{\"name\":\"a\",\"value\":\"x\"}]}]", 1, 2},
		{"no timestamp", "[" + head + "{\"name\":\"a\",\"value\":\"1\",\"timestamp\":\"x\"}]}]", 1, 2},
		{"labels in a list", "[" + head + "{\"name\":\"a\",\"value\":\"1\",\"labels\":[]}]}]", 1, 2},
		{"label twice", "[" + head + "{\"name\":\"a\",\"value\":\"1\",\"labels\":{\"b\":\"\",\"b\":\"\"}}]}]", 1, 2},
		{"label without a name", "[" + head + "{\"name\":\"a\",\"value\":\"1\",\"labels\":{\"\":\"\"}}]}]", 1, 2},
		{"label of a number", "[" + head + "{\"name\":\"a\",\"value\":\"1\",\"labels\":{\"b\":1}}]}]", 1, 2},
		{"the second family", "[" + head + "]},\n\n" + head + "1]}]", 3, 1},
		{"too many labels", "[" + head + "{\"name\":\"a\",\"value\":\"1\",\"labels\":{\"b\":\"\",\"c\":\"\",\"d\":\"\"}}]}]", 1, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := fromJSON([]byte(c.in), json.WithLimits(json.Limits{Labels: 2}))
			var wrong *json.SyntaxError
			if !errors.As(err, &wrong) || wrong.Line != c.line || wrong.Column != c.column {
				t.Errorf("error %v, want one at line %d, column %d", err, c.line, c.column)
			}
		})
	}
	if _, err := fromJSON(jsonOf(t, families(t)), json.WithLimits(json.Limits{Input: 100})); err == nil {
		t.Error("a page of any size is read")
	}
}

// FuzzJSON checks that what is read is written and read again the same.
func FuzzJSON(f *testing.F) {
	f.Add(jsonOf(f, withNative(f)))
	for _, family := range withNative(f) {
		f.Add(jsonOf(f, []*model.Family{family}))
	}
	f.Add([]byte(`[{"name":"a","type":"counter","samples":[{"name":"a","value":"1"},{"name":"a_total","value":"-nan"},{"name":"a_created","value":"1.5"}]}]`))
	f.Add([]byte(`[{"name":"a","type":"histogram","samples":[{"name":"a_created","value":"2"},{"name":"a_bucket","labels":{"le":"2"},"value":"1"},{"name":"a_bucket","labels":{"le":"1e0"},"value":"1"},{"name":"a_bucket","labels":{"le":"1"},"value":"1"}]}]`))
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := fromJSON(in)
		if err != nil {
			return
		}
		written := jsonOf(t, first)
		second, err := fromJSON(written)
		if err != nil {
			t.Fatalf("%v in\n%s\nfrom\n%s", err, written, in)
		}
		if again := jsonOf(t, second); !bytes.Equal(again, written) {
			a, b := differ(again, written)
			t.Fatalf("got  %swant %sfrom\n%s", a, b, in)
		}
	})
}
