package apitest

import (
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/model"
)

// createdTimes returns the created time of each series of a collector, by its labels.
func createdTimes(t *testing.T, c telltale.Collector) map[string]time.Time {
	t.Helper()
	times := make(map[string]time.Time)
	err := c.Collect(t.Context(), func(f *model.Family) error {
		var scratch model.Point
		return f.Visit(&scratch, func(p *model.Point) error {
			times[strings.Clone(p.Labels.Text())] = p.Created.Time()
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return times
}

// Start times can be given from outside, for counts that began elsewhere.
func TestCreatedTimesFromOutside(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	created := telltale.WithCreated(began)
	t.Run("of instruments", func(t *testing.T) {
		for _, c := range []telltale.Collector{
			telltale.Must(telltale.NewCounter("c", "", telltale.Unregistered(), created)),
			telltale.Must(telltale.NewHistogram("h", "", telltale.Unregistered(), created)),
			telltale.Must(telltale.NewSummary("s", "", telltale.Unregistered(), created)),
		} {
			if got := createdTimes(t, c)[""]; !got.Equal(began) {
				t.Errorf("%T was created at %v", c, got)
			}
		}
		c := telltale.Must(telltale.NewCounter("c", "", telltale.Unregistered(), created))
		if got := openMetrics(t, c); !strings.Contains(got, "c_total") {
			t.Errorf("got\n%s", got)
		}
	})
	t.Run("not of series that may have counted before", func(t *testing.T) {
		start := time.Now()
		vec := telltale.Must(telltale.NewCounterVec("c", "", []string{"l"}, telltale.Unregistered(), created))
		vec.With("a").Inc()
		vec.With("b").Inc()
		vec.Remove("a")
		vec.With("a").Inc()
		times := createdTimes(t, vec)
		if a, b := times[`l="a"`], times[`l="b"`]; a.Before(start) || !b.Equal(began) {
			t.Errorf("got %v and %v", a, b)
		}
		vec.Clear()
		vec.With("b").Inc()
		if b := createdTimes(t, vec)[`l="b"`]; b.Before(start) {
			t.Errorf("after Clear: %v", b)
		}
	})
	t.Run("as part of the definition", func(t *testing.T) {
		reg := telltale.NewRegistry()
		a := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg), created))
		if b := telltale.Must(telltale.NewCounter("c", "", telltale.In(reg), telltale.WithCreated(began.Local()))); a != b {
			t.Error("the same time gave two counters")
		}
		_, err := telltale.NewCounter("c", "", telltale.In(reg))
		if wantDuplicate(t, err, "c", "c_created", "c_total"); !strings.Contains(err.Error(), "created 2026-03-01T12:00:00Z") {
			t.Errorf("got error %v", err)
		}
	})
	t.Run("in the future", func(t *testing.T) {
		_, err := telltale.NewCounter("c", "", telltale.Unregistered(), telltale.WithCreated(time.Now().Add(time.Hour)))
		if err == nil || !strings.Contains(err.Error(), "still to come") {
			t.Errorf("got error %v", err)
		}
	})
	t.Run("of samples", func(t *testing.T) {
		built := telltale.Must(model.NewCounterFamily("c", ""))
		if err := built.Add(nil, 1, model.WithCreated(began)); err != nil {
			t.Fatal(err)
		}
		flat := family("d", model.Counter)
		flat.AddSample("d_total", nil, 1)
		flat.AddSample("d_created", nil, float64(began.Unix()))
		for _, f := range []*model.Family{built.Family(), flat} {
			if got := createdTimes(t, registryOf(t, nameless(f)))[""]; !got.Equal(began) {
				t.Errorf("%s was created at %v", f.Name, got)
			}
		}
	})
}
