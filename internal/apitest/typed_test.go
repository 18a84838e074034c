package apitest

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"telltale"
	"telltale/model"
)

type method string

// everything has a field of each type that can be a label.
type everything struct {
	String  string
	Method  method
	Bool    bool
	Int     int
	Int8    int8
	Int16   int16
	Int32   int32
	Int64   int64
	Uint    uint
	Uint8   uint8
	Uint16  uint16
	Uint32  uint32
	Uint64  uint64
	left    string `label:"-"`
	private string `label:"priv"`
}

func TestTypedFields(t *testing.T) {
	v := telltale.Must(telltale.NewCounterOf[everything]("c", "", telltale.Unregistered()))
	for _, tt := range []struct {
		labels everything
		want   string
	}{
		{everything{}, `string="",method="",bool="false",int="0",int8="0",int16="0",int32="0",int64="0",uint="0",uint8="0",uint16="0",uint32="0",uint64="0",priv=""`},
		{everything{
			"a\"b\n", "GET", true, math.MinInt, math.MinInt8, math.MinInt16, math.MinInt32, math.MinInt64,
			math.MaxUint, math.MaxUint8, math.MaxUint16, math.MaxUint32, math.MaxUint64, "ignored", "p",
		}, `string="a\"b\n",method="GET",bool="true",int="-9223372036854775808",int8="-128",int16="-32768",int32="-2147483648",int64="-9223372036854775808",` +
			`uint="18446744073709551615",uint8="255",uint16="65535",uint32="4294967295",uint64="18446744073709551615",priv="p"`},
		{everything{Int: -1, Int8: -1, Int16: -1, Int32: -1, Int64: -1, Uint8: 128, Uint16: 1 << 15, Uint32: 1 << 31, Uint64: 1 << 63},
			`string="",method="",bool="false",int="-1",int8="-1",int16="-1",int32="-1",int64="-1",uint="0",uint8="128",uint16="32768",uint32="2147483648",uint64="9223372036854775808",priv=""`},
	} {
		v.Clear()
		v.With(tt.labels).Inc()
		v.With(tt.labels).Inc()
		same := tt.labels
		same.left = "of no meaning"
		v.With(same).Inc()
		want := tt.want
		if math.MaxInt == math.MaxInt32 {
			want = strings.Replace(want, `int="-9223372036854775808"`, `int="-2147483648"`, 1)
			want = strings.Replace(want, `uint="18446744073709551615"`, `uint="4294967295"`, 1)
		}
		texts, values := seriesOf(t, v)
		if len(texts) != 1 || texts[0] != want || values[want] != 3 {
			t.Errorf("got %q %v\nwant %q", texts, values, want)
		}
		if !v.Remove(same) || v.Len() != 0 {
			t.Error("Remove does not find it")
		}
	}
}

type names struct {
	StatusCode  int
	HTTPStatus  int
	UserID      string
	ID          string
	HTTP2Server bool
	X1          int
	lower       int
	Größe       int
	Under_Score int
	Tagged      string     `label:"http.route" json:"route"`
	Skipped     [2]float64 `label:"-"`
}

// Structs with string fields side by side, and with other fields before or
// between them.
func TestTypedStrings(t *testing.T) {
	type sides struct {
		Left  int `label:"-"`
		A, B  string
		Right bool `label:"-"`
	}
	type apart struct {
		A    string
		Left string `label:"-"`
		B    string
	}
	type mixed struct {
		A string
		N int
		B string
	}
	type many struct{ A, B, C, D, E, F, G, H, I, J string }
	page := func(c telltale.Collector) string {
		text, err := telltale.GenerateLatest(c)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(text), "\n")[2]
	}
	one := telltale.Unregistered()
	side := telltale.Must(telltale.NewCounterOf[sides]("c", "", one))
	side.With(sides{7, "a", "b", true}).Inc()
	between := telltale.Must(telltale.NewCounterOf[apart]("c", "", one))
	between.With(apart{"a", "left", "b"}).Inc()
	number := telltale.Must(telltale.NewCounterOf[mixed]("c", "", one))
	number.With(mixed{"a", 5, "b"}).Inc()
	all := telltale.Must(telltale.NewCounterOf[many]("c", "", one))
	all.With(many{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}).Inc()
	for _, tt := range []struct {
		c    telltale.Collector
		want string
	}{
		{side, `c_total{a="a",b="b"} 1.0`},
		{between, `c_total{a="a",b="b"} 1.0`},
		{number, `c_total{a="a",n="5",b="b"} 1.0`},
		{all, `c_total{a="1",b="2",c="3",d="4",e="5",f="6",g="7",h="8",i="9",j="10"} 1.0`},
	} {
		if got := page(tt.c); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

func TestTypedNames(t *testing.T) {
	v := telltale.Must(telltale.NewGaugeOf[names]("g", "", telltale.Unregistered()))
	want := []string{"status_code", "http_status", "user_id", "id", "http2_server", "x1", "lower", "größe", "under_score", "http.route"}
	v.Init(names{lower: 1})
	texts, _ := seriesOf(t, v)
	if got := model.LabelsFromText(texts[0]).Names(); !slices.Equal(got, want) {
		t.Errorf("the labels are called %q, want %q", got, want)
	}
}

type (
	nested   struct{ Inner struct{ A string } }
	pointer  struct{ P *int }
	float    struct{ F float64 }
	array    struct{ A [2]string }
	nothing  struct{}
	emptyTag struct {
		A string `label:""`
	}
	sameTwice struct {
		A string `label:"x"`
		B string `label:"x"`
	}
	snakeTwice struct{ UserID, UserId string } // two fields with one label name
	reserved   struct {
		A string `label:"__a"`
	}
	bound struct{ Le string }
)

func TestTypedErrors(t *testing.T) {
	alone := telltale.Unregistered()
	for name, err := range map[string]error{
		"a struct":       last(telltale.NewCounterOf[nested]("c", "", alone)),
		"a pointer":      last(telltale.NewCounterOf[pointer]("c", "", alone)),
		"a float":        last(telltale.NewGaugeOf[float]("c", "", alone)),
		"an array":       last(telltale.NewHistogramOf[array]("c", "", alone)),
		"no fields":      last(telltale.NewSummaryOf[nothing]("c", "", alone)),
		"no struct":      last(telltale.NewInfoOf[string]("c", "", alone)),
		"an empty tag":   last(telltale.NewCounterOf[emptyTag]("c", "", alone)),
		"a tag twice":    last(telltale.NewCounterOf[sameTwice]("c", "", alone)),
		"a name twice":   last(telltale.NewCounterOf[snakeTwice]("c", "", alone)),
		"reserved":       last(telltale.NewCounterOf[reserved]("c", "", alone)),
		"le":             last(telltale.NewHistogramOf[bound]("c", "", alone)),
		"its own name":   last(telltale.NewEnumOf[bound]("le", "", []string{"on"}, alone)),
		"an empty name":  last(telltale.NewCounterOf[route]("", "", alone)),
		"a nil registry": last(telltale.NewCounterOf[route]("c", "", telltale.In(nil))),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// last returns the second of two results, the error.
func last[T any](_ T, err error) error { return err }

// One definition is one instrument, whether its labels are a struct or a list.
func TestTypedIsTheVec(t *testing.T) {
	reg := telltale.NewRegistry()
	of := telltale.Must(telltale.NewCounterOf[route]("c", "Help.", telltale.In(reg)))
	v := telltale.Must(telltale.NewCounterVec("c", "Help.", []string{"method", "path", "code"}, telltale.In(reg)))
	h := of.With(route{"GET", "/", 200})
	if h != v.With("GET", "/", "200") || h != telltale.Must(telltale.NewCounterOf[route]("c", "Help.", telltale.In(reg))).With(route{"GET", "/", 200}) {
		t.Error("the same definition gives another instrument")
	}
	h.Add(3)
	v.With("GET", "/", "0200").Inc() // not a number as a struct writes it
	wantPage(t, reg, "# TYPE c_total counter\nc_total{method=\"GET\",path=\"/\",code=\"200\"} 3.0\nc_total{method=\"GET\",path=\"/\",code=\"0200\"} 1.0\n")
	if of.Len() != 2 || v.Len() != 2 || !v.Remove("GET", "/", "200") || of.Remove(route{"GET", "/", 200}) {
		t.Error("the two do not share their series")
	}
	of.Init(route{"A", "", 1}, route{"B", "", -2})
	if n := of.RemoveMatching(map[string]string{"code": "-2"}); n != 1 {
		t.Errorf("RemoveMatching = %d, want 1", n)
	}
	var duplicate *telltale.DuplicateError
	for what, err := range map[string]error{
		"another order": last(telltale.NewCounterVec("c", "Help.", []string{"path", "method", "code"}, telltale.In(reg))),
		"another help":  last(telltale.NewCounterOf[route]("c", "Other.", telltale.In(reg))),
		"another type":  last(telltale.NewGaugeOf[route]("c", "Help.", telltale.In(reg))),
	} {
		if !errors.As(err, &duplicate) {
			t.Errorf("%s: error %v, want a DuplicateError", what, err)
		}
	}
	if err := reg.Unregister(of); err != nil {
		t.Error(err)
	}
	wantPage(t, reg, "")
}

type nineLabels struct{ A, B, C, D, E, F, G, H, I uint8 }

func TestTypedManyLabels(t *testing.T) {
	v := telltale.Must(telltale.NewCounterOf[nineLabels]("c", "", telltale.Unregistered()))
	v.With(nineLabels{1, 2, 3, 4, 5, 6, 7, 8, 9}).Inc()
	v.With(nineLabels{1, 2, 3, 4, 5, 6, 7, 8, 9}).Inc()
	wantSeries(t, v, `a="1",b="2",c="3",d="4",e="5",f="6",g="7",h="8",i="9"`)
}
