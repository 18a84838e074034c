package apitest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"telltale"
	"telltale/model"
)

// A page is made of a collector outside of registries: its failure is an error,
// never a panic of the caller.
func TestLatestOfBareCollectors(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name      string
		collector telltale.Collector
		page, err string
	}{
		{"one that works", telltale.CollectorFunc(func(_ context.Context, emit func(*model.Family) error) error {
			return emit(gauge("depth", 3))
		}), "depth 3.0\n", ""},
		{"an instrument", telltale.Must(telltale.NewCounter("jobs", "", telltale.Unregistered())), "jobs_total 0.0\n", ""},
		{"one that fails", telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { return broken }), "", "broken"},
		{"one that panics", telltale.CollectorFunc(func(context.Context, func(*model.Family) error) error { panic("at the disco") }), "", "at the disco"},
		{"one that cannot be compared", uncomparable{func(_ context.Context, emit func(*model.Family) error) error {
			return emit(gauge("depth", 3))
		}}, "depth 3.0\n", ""},
		{"none", nil, "", "the collector is nil"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var page bytes.Buffer
			err := telltale.WriteLatest(t.Context(), &page, c.collector)
			if got := errorText(err); c.err == "" && err != nil || !strings.Contains(got, c.err) {
				t.Errorf("got the error %q, want %q in it", got, c.err)
			}
			if c.page != "" && !strings.HasSuffix(page.String(), c.page) {
				t.Errorf("got the page\n%s\nwant it to end in\n%s", page.String(), c.page)
			}
		})
	}
}

// Names that the text format makes equal are on the page once; the registry counts the
// others, and they are logged.
func TestLatestTellsOfClashes(t *testing.T) {
	book, reg := logged(t), telltale.NewRegistry()
	telltale.Must(telltale.NewGauge("a.b", "", telltale.In(reg))).Set(1)
	telltale.Must(telltale.NewGauge("a_b", "", telltale.In(reg))).Set(2)
	page, err := telltale.GenerateLatest(reg)
	if want := "# HELP a_b \n# TYPE a_b gauge\na_b 1.0\n"; err != nil || string(page) != want {
		t.Errorf("got the error %v and the page\n%s\nwant\n%s", err, page, want)
	}
	if n := reg.Stats().Faults[telltale.ReasonFormat]; n != 1 {
		t.Errorf("%d faults are counted", n)
	}
	wantLines(t, book, `ERROR reason=format collector=gauge "a_b" family=a_b err=family "a_b" was left out of a page in text/plain; version=0.0.4: its escaped name belongs to another family`)
}

// A registry that a custom collector collects, with the context of its run, is not asked
// about the page of the outer one.
func TestOnlyTheOutermostScrapeHearsOfClashes(t *testing.T) {
	logged(t)
	inner, outer := telltale.NewRegistry(), telltale.NewRegistry()
	telltale.Must(telltale.NewGauge("a.b", "", telltale.In(inner))).Set(1)
	telltale.Must(telltale.NewGauge("a_b", "", telltale.In(inner))).Set(2)
	register(t, outer, telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error { return inner.Collect(ctx, emit) }))
	if _, err := telltale.GenerateLatest(outer); err != nil {
		t.Fatal(err)
	}
	if got := [2]uint64{inner.Stats().Faults[telltale.ReasonFormat], outer.Stats().Faults[telltale.ReasonFormat]}; got != [2]uint64{0, 1} {
		t.Errorf("the inner and the outer registry count %d faults", got)
	}
	if got := outer.Stats().Custom; len(got) != 1 || got[0].Faults != 1 || !got[0].Success {
		t.Errorf("the collector's statistics are %+v", got)
	}
}

// uncomparable is a collector of a type that cannot be compared.
type uncomparable struct {
	collect func(context.Context, func(*model.Family) error) error
}

func (u uncomparable) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return u.collect(ctx, emit)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Errors are short and plain: a collector with many names is described once, and
// one that clashes with itself is said to be registered already.
func TestDuplicateErrorsAreShort(t *testing.T) {
	reg := telltale.NewRegistry()
	var many []*model.Family
	for _, name := range strings.Fields("a b c d e f g h i j k l m n o p") {
		many = append(many, family(name, model.Histogram))
	}
	emitNothing := func(context.Context, func(*model.Family) error) error { return nil }
	register(t, reg, telltale.CollectorFunc(emitNothing, many...))
	err := reg.Register(telltale.CollectorFunc(emitNothing, many...))
	if text := errorText(err); len(text) > 500 || !strings.Contains(text, "and 74 more") {
		t.Errorf("the error has %d bytes and does not count the names it leaves out:\n%s", len(text), text)
	}
	c := telltale.Must(telltale.NewCounter("jobs", "", telltale.In(reg)))
	if text := errorText(reg.Register(c)); !strings.HasSuffix(text, ": it is registered already") {
		t.Errorf("registering a counter twice says %q", text)
	}
}

func namedFunction(context.Context, func(*model.Family) error) error { return errors.New("broken") }

func TestFaultsNameFunctions(t *testing.T) {
	var heard []string
	reg := telltale.NewRegistry(telltale.WithErrorHook(func(err error) { heard = append(heard, err.Error()) }))
	register(t, reg, telltale.CollectorFunc(namedFunction))
	if _, err := telltale.GenerateLatest(reg); err != nil {
		t.Fatal(err)
	}
	if len(heard) != 1 || !strings.Contains(heard[0], "namedFunction") {
		t.Errorf("the hook heard %q, want the function's name", heard)
	}
}
