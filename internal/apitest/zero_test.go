package apitest

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"telltale"
	"telltale/model"
)

// Every method of every zero value may be called, with usual and with nil
// arguments, and nothing is collected then.
func TestZeroValues(t *testing.T) {
	for _, zero := range []any{
		new(telltale.Counter), new(telltale.CounterVec), new(telltale.CounterOf[route]),
		new(telltale.Gauge), new(telltale.GaugeVec), new(telltale.GaugeOf[route]),
		new(telltale.Histogram), new(telltale.HistogramVec), new(telltale.HistogramOf[route]),
		new(telltale.Summary), new(telltale.SummaryVec), new(telltale.SummaryOf[route]),
		new(telltale.Info), new(telltale.InfoVec), new(telltale.InfoOf[route]),
		new(telltale.Enum), new(telltale.EnumVec), new(telltale.EnumOf[route]),
		new(telltale.Registry), new(telltale.RestrictedRegistry), new(telltale.Timer), new(telltale.DuplicateError),
	} {
		callAll(t, reflect.ValueOf(zero))
		c, ok := zero.(telltale.Collector)
		if _, usable := zero.(*telltale.Registry); usable || !ok {
			continue
		}
		wantPage(t, c, "")
		wantPage(t, telltale.Restrict(c, "x"), "")
		if view, err := telltale.Labelled(c, map[string]string{"a": "b"}); err == nil {
			wantPage(t, view, "")
		}
		reg := telltale.NewRegistry()
		if err := reg.Register(c); err == nil {
			wantPage(t, reg, "")
		}
		if err := reg.Unregister(new(telltale.Counter)); err == nil {
			t.Errorf("%T: the zero Counter was registered", zero)
		}
	}
}

// callAll calls the exported methods of v, and those of the handles that they
// return.
func callAll(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumMethod() {
		name := v.Type().String() + "." + v.Type().Method(i).Name
		for _, argument := range []func(reflect.Type) reflect.Value{some, reflect.Zero} {
			method := v.Method(i)
			var in []reflect.Value
			skip := false
			for a := range method.Type().NumIn() {
				value := argument(method.Type().In(a))
				skip = skip || value.Kind() == reflect.Func && value.IsNil() // a nil function would be called
				in = append(in, value)
			}
			if skip || v.Type() == reflect.TypeFor[*telltale.Registry]() && !method.Type().IsVariadic() && len(in) > 0 && in[0].IsZero() {
				continue // a nil context
			}
			func() {
				defer func() {
					if p := recover(); p != nil {
						t.Errorf("%s panics: %v", name, p)
					}
				}()
				var out []reflect.Value
				if method.Type().IsVariadic() {
					out = method.CallSlice(in)
				} else {
					out = method.Call(in)
				}
				for _, o := range out {
					if o.Kind() == reflect.Pointer && !o.IsNil() && o.Type() != v.Type() {
						callAll(t, o)
					}
				}
			}()
		}
	}
}

// some returns a value of a type that is not zero where it can.
func some(of reflect.Type) reflect.Value {
	switch of {
	case reflect.TypeFor[context.Context]():
		return reflect.ValueOf(context.Background())
	case reflect.TypeFor[telltale.Collector]():
		return reflect.ValueOf(telltale.CollectorFunc(emitting()))
	}
	v := reflect.New(of).Elem()
	switch of.Kind() {
	case reflect.String:
		v.SetString("a")
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Slice:
		v.Set(reflect.Append(v, some(of.Elem())))
	case reflect.Map:
		v.Set(reflect.MakeMap(of))
		v.SetMapIndex(some(of.Key()), some(of.Elem()))
	case reflect.Func:
		v.Set(reflect.MakeFunc(of, func([]reflect.Value) (results []reflect.Value) {
			for i := range of.NumOut() {
				results = append(results, reflect.Zero(of.Out(i)))
			}
			return results
		}))
	}
	return v
}

// The zero Registry is ready to use.
func TestZeroRegistry(t *testing.T) {
	var reg telltale.Registry
	telltale.Must(telltale.NewGauge("g", "", telltale.In(&reg))).Set(2)
	if _, err := telltale.NewCounter("g", "", telltale.In(&reg)); err == nil {
		t.Error("a name is taken twice")
	}
	if err := reg.SetTargetInfo(map[string]string{"a": "b"}); err != nil {
		t.Error(err)
	}
	wantPage(t, reg.Restricted("g"), "# TYPE g gauge\ng 2.0\n")
}

// A nil option is ignored.
func TestNilOptions(t *testing.T) {
	reg := telltale.NewRegistry(nil, telltale.RegistryOption(nil))
	in, none := telltale.In(reg), telltale.Option(nil)
	_, counter := telltale.NewCounter("c", "", in, nil, none)
	_, gauge := telltale.NewGauge("g", "", in, nil, none)
	_, histogram := telltale.NewHistogram("h", "", in, nil, none, telltale.WithNativeBuckets(2, nil))
	_, summary := telltale.NewSummary("s", "", in, nil, none)
	_, info := telltale.NewInfo("i", "", in, nil, none)
	_, enum := telltale.NewEnum("e", "", []string{"a"}, in, nil, none)
	_, callback := telltale.NewGaugeFunc("f", "", nil, telltale.SingleValue(func() float64 { return 1 }), in, nil, none)
	if err := errors.Join(counter, gauge, histogram, summary, info, enum, callback); err != nil {
		t.Error(err)
	}
	wantNames(t, "the page", familyNames(t, reg), "c", "g", "h", "s", "i", "e", "f")
}

// A registry whose store is nil, or was not opened, makes no instruments, and it
// and everything that contains it collect nothing.
func TestNilStore(t *testing.T) {
	for _, store := range []telltale.Store{nil, (*noStore)(nil), new(noStore)} {
		reg := telltale.NewRegistry(telltale.WithStore(store))
		in := telltale.In(reg)
		_, counter := telltale.NewCounter("c", "", in)
		_, vec := telltale.NewCounterVec("v", "", []string{"l"}, in)
		_, typed := telltale.NewCounterOf[route]("o", "", in)
		_, callback := telltale.NewGaugeFunc("f", "", nil, telltale.SingleValue(func() float64 { return 1 }), in)
		parent := telltale.NewRegistry()
		register(t, parent, reg)
		_, restricted := telltale.GenerateLatest(reg.Restricted("c_total"))
		_, merged := telltale.GenerateLatest(telltale.Must(telltale.Merge(reg)))
		_, nested := telltale.GenerateLatest(parent)
		for what, err := range map[string]error{
			"NewCounter": counter, "NewCounterVec": vec, "NewCounterOf": typed, "NewGaugeFunc": callback,
			"Register": reg.Register(nameless()), "UseStore": reg.UseStore(store), "Restricted": restricted, "Merge": merged, "a parent": nested,
			"Collect": reg.Collect(t.Context(), func(*model.Family) error { return nil }),
		} {
			if err == nil {
				t.Errorf("store %#v: %s: no error", store, what)
			}
		}
		if err := telltale.NewRegistry().UseStore(store); err == nil {
			t.Errorf("UseStore(%#v): no error", store)
		}
	}
}

type noStore struct{ telltale.Store }
