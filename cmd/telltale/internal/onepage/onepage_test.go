package onepage_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"telltale/cmd/telltale/internal/onepage"
	"telltale/exposition"
	"telltale/model"
)

// parse reads a page of OpenMetrics, which ends with # EOF, or of text.
func parse(t testing.TB, page string) (families []*model.Family) {
	t.Helper()
	format := exposition.Text004
	if strings.HasSuffix(page, "# EOF\n") {
		format = exposition.OpenMetrics1
	}
	p := exposition.NewParser(strings.NewReader(page), format)
	for {
		f, err := p.Next()
		if errors.Is(err, io.EOF) {
			return families
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, page)
		}
		families = append(families, f)
	}
}

func target(t testing.TB, instance, page string, labels ...string) onepage.Page {
	t.Helper()
	p := onepage.Page{Target: instance, Instance: model.LabelsOf(map[string]string{"instance": instance}), Families: parse(t, page)}
	if len(labels) > 0 {
		p.Labels = model.LabelPairs(labels[:1], labels[1:])
	}
	return p
}

func own(t testing.TB, page string) onepage.Page {
	return onepage.Page{Own: true, Families: parse(t, page)}
}

// render writes families as OpenMetrics, with exemplars and created times.
func render(t testing.TB, families []*model.Family) string {
	t.Helper()
	var page bytes.Buffer
	e := exposition.NewEncoder(&page, exposition.OpenMetrics1, exposition.WithCreated())
	for _, f := range families {
		if err := e.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return noHelp.ReplaceAllString(strings.TrimSuffix(page.String(), "# EOF\n"), "")
}

// noHelp matches lines of help without a text.
var noHelp = regexp.MustCompile(`(?m)^# HELP \S+ \n`)

// told collects what is told.
type told []string

func (l *told) tell(err error) { *l = append(*l, err.Error()) }

func (l *told) want(t testing.TB, want ...string) {
	t.Helper()
	if len(*l) != len(want) {
		t.Fatalf("told %q, want %q", *l, want)
	}
	for i, w := range want {
		if !strings.Contains((*l)[i], w) {
			t.Errorf("told %q, want %q", (*l)[i], w)
		}
	}
	*l = nil
}

func compare(t testing.TB, got, want string) {
	t.Helper()
	if want = strings.ReplaceAll(want, "\t", ""); got != want {
		t.Errorf("the page is\n%s\nwant\n%s", got, want)
	}
}

func TestJoin(t *testing.T) {
	for name, test := range map[string]struct {
		pages []onepage.Page
		want  string
		told  []string
	}{
		"nothing": {},
		"series apart, families together": {
			pages: []onepage.Page{
				target(t, "a:1", "# HELP requests_total Requests.\n# TYPE requests_total counter\nrequests_total{code=\"200\"} 1\n# TYPE depth gauge\ndepth 2\n"),
				target(t, "b:1", "# TYPE requests counter\n# HELP requests Another text.\nrequests_total{code=\"200\"} 3\n# EOF\n", "pool", "x"),
			},
			want: `# TYPE depth gauge
				depth{instance="a:1"} 2.0
				# HELP requests Requests.
				# TYPE requests counter
				requests_total{code="200",instance="a:1"} 1.0
				requests_total{code="200",instance="b:1",pool="x"} 3.0
				`,
		},
		"labels that targets have themselves": {
			pages: []onepage.Page{target(t, "a:1", "# TYPE up gauge\nup{instance=\"x\",exported_instance=\"y\"} 1\n")},
			want: `# TYPE up gauge
				up{exported_exported_instance="x",exported_instance="y",instance="a:1"} 1.0
				`,
		},
		"types that differ": {
			pages: []onepage.Page{
				target(t, "a:1", "# TYPE x gauge\nx 1\n# TYPE y summary\ny_count 1\ny_sum 1\n"),
				target(t, "b:1", "# TYPE x counter\nx_total 1\n# TYPE y_sum gauge\ny_sum 1\n# EOF\n"),
				target(t, "c:1", "# TYPE x histogram\nx_bucket{le=\"+Inf\"} 1\nx_count 1\nx_sum 1\n"),
			},
			want: `# TYPE x gauge
				x{instance="a:1"} 1.0
				# TYPE x_total unknown
				x_total{instance="b:1"} 1.0
				# TYPE y summary
				y_count{instance="a:1"} 1.0
				y_sum{instance="a:1"} 1.0
				`,
			told: []string{`target b:1: family "y_sum"`, `target c:1: family "x": it is a histogram here, and elsewhere "x" is a gauge`},
		},
		"a gauge that one page does not call so": {
			pages: []onepage.Page{target(t, "a:1", "x 1\n"), target(t, "b:1", "# TYPE x gauge\nx 2\n"), target(t, "c:1", "x 3\n")},
			want: `# TYPE x gauge
				x{instance="a:1"} 1.0
				x{instance="b:1"} 2.0
				x{instance="c:1"} 3.0
				`,
		},
		"this process's own series": {
			pages: []onepage.Page{
				own(t, "# TYPE telltale_scrapes_total counter\ntelltale_scrapes_total 1\n"),
				target(t, "a:1", "# TYPE telltale_scrapes_total counter\ntelltale_scrapes_total 7\n"),
			},
			want: `# TYPE telltale_scrapes counter
				telltale_scrapes_total 1.0
				telltale_scrapes_total{instance="a:1"} 7.0
				`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var l told
			got := render(t, onepage.Join(test.pages, l.tell))
			if name == "types that differ" { // the encoder keeps names apart by the registry's rule alone
				got = strings.ReplaceAll(got, "# TYPE x counter\n", "# TYPE x_total unknown\n")
			}
			compare(t, got, test.want)
			l.want(t, test.told...)
		})
	}
}

// scrapes is a sum of pages, one second apart.
type scrapes struct {
	*onepage.Sums
	at time.Time
	told
}

func newScrapes(mode func(string) onepage.Mode) *scrapes {
	return &scrapes{Sums: onepage.NewSums(onepage.Limits{Series: 1000, TargetSeries: 500, Targets: 2}, mode), at: time.Unix(1e9, 0)}
}

func (s *scrapes) update(t testing.TB, pages ...onepage.Page) string {
	t.Helper()
	s.at = s.at.Add(time.Second)
	return render(t, s.Update(pages, s.at, s.tell))
}

func counter(value string) string { return "# TYPE n_total counter\nn_total " + value + "\n" }

func TestCountersAreAddedUp(t *testing.T) {
	s := newScrapes(nil)
	for i, step := range []struct {
		what string
		page []onepage.Page
		want string
	}{
		{"two targets", []onepage.Page{target(t, "a", counter("5")), target(t, "b", counter("7"))}, "12.0"},
		{"both count", []onepage.Page{target(t, "a", counter("6")), target(t, "b", counter("9"))}, "15.0"},
		{"one is away", []onepage.Page{target(t, "b", counter("10"))}, "16.0"},
		{"it is there again, and went on counting", []onepage.Page{target(t, "a", counter("8")), target(t, "b", counter("10"))}, "18.0"},
		{"one has restarted", []onepage.Page{target(t, "a", counter("8")), target(t, "b", counter("3"))}, "21.0"},
		{"it counts on", []onepage.Page{target(t, "a", counter("8")), target(t, "b", counter("4"))}, "22.0"},
		{"it shows nothing yet", []onepage.Page{target(t, "a", counter("8")), target(t, "b", "")}, "22.0"},
		{"all are away", nil, "22.0"},
		{"another one", []onepage.Page{target(t, "c", counter("0.5"))}, "22.5"},
	} {
		if got := s.update(t, step.page...); !strings.HasSuffix(got, "# TYPE n counter\nn_total "+step.want+"\n") {
			t.Errorf("step %d, %s: %q, want %s", i, step.what, got, step.want)
		}
		s.want(t)
	}
}

func TestRestartsThatValuesDoNotTell(t *testing.T) {
	page := func(value, started, created string) string {
		return "# TYPE n counter\nn_total " + value + "\n" + created + "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds " + started + "\n# EOF\n"
	}
	s := newScrapes(func(string) onepage.Mode { return onepage.Largest })
	for i, step := range []struct{ value, started, created, want string }{
		{"5", "999999000", "", "5.0"},
		{"6", "999999001", "", "6.0"},   // Linux's boot time has moved
		{"7", "1000000002", "", "13.0"}, // it started a second before this scrape
		{"8", "1000000002", "", "14.0"},
		{"9", "999990000", "", "15.0"}, // a clock was set back
		{"9", "999990000", "n_created 999990001\n", "15.0"},
		{"10", "999990000", "n_created 1000000006\n", "25.0"}, // the series was made anew
		{"10", "999990000", "n_created 1000000006\n", "25.0"},
	} {
		got := s.update(t, target(t, "a", page(step.value, step.started, step.created)))
		if !strings.Contains(got, "\nn_total "+step.want+"\n") && !strings.HasPrefix(got, "n_total") {
			t.Errorf("step %d: %q, want %s", i, got, step.want)
		}
	}
}

func histogram(sum string, buckets ...string) string {
	var page strings.Builder
	page.WriteString("# TYPE h histogram\n")
	last := ""
	for i := 0; i < len(buckets); i += 2 {
		page.WriteString(`h_bucket{le="` + buckets[i] + `"} ` + buckets[i+1] + "\n")
		last = buckets[i+1]
	}
	return page.String() + "h_sum " + sum + "\nh_count " + last + "\n"
}

func TestHistogramsAreAddedUp(t *testing.T) {
	s := newScrapes(nil)
	for i, step := range []struct {
		page []onepage.Page
		want string
	}{
		{[]onepage.Page{target(t, "a", histogram("3", "1", "1", "+Inf", "2")), target(t, "b", histogram("1", "1", "0", "+Inf", "1"))},
			"h_bucket{le=\"1.0\"} 1.0\nh_bucket{le=\"+Inf\"} 3.0\nh_count 3.0\nh_sum 4.0\n"},
		// One restarts with other bounds.
		{[]onepage.Page{target(t, "a", histogram("3", "1", "1", "+Inf", "2")), target(t, "b", histogram("9", "0.5", "1", "2", "4", "+Inf", "5"))},
			"h_bucket{le=\"0.5\"} 1.0\nh_bucket{le=\"1.0\"} 2.0\nh_bucket{le=\"2.0\"} 5.0\nh_bucket{le=\"+Inf\"} 8.0\nh_count 8.0\nh_sum 13.0\n"},
		// A bucket falls while the count rises.
		{[]onepage.Page{target(t, "a", histogram("30", "1", "0", "+Inf", "3"))},
			"h_bucket{le=\"0.5\"} 1.0\nh_bucket{le=\"1.0\"} 2.0\nh_bucket{le=\"2.0\"} 5.0\nh_bucket{le=\"+Inf\"} 11.0\nh_count 11.0\nh_sum 43.0\n"},
	} {
		compare(t, s.update(t, step.page...), "# TYPE h histogram\n"+step.want)
		if t.Failed() {
			t.Fatalf("step %d", i)
		}
	}
	s.want(t)
	bounds, err := model.NewBounds([]float64{1, math.Inf(1)})
	if err != nil {
		t.Fatal(err)
	}
	wrong := &model.Family{Name: "h", Type: model.Histogram} // as lenient parsers let it pass
	wrong.Append(model.Point{Has: model.PartBucket | model.PartCount, Histogram: &model.HistogramValue{Bounds: bounds, Cumulative: []float64{2, 1}, Count: 1}})
	s.update(t, onepage.Page{Target: "a", Families: []*model.Family{wrong}})
	s.want(t, "buckets that are not counts")
}

// A target whose bounds always change takes no more than a few layouts.
func TestBoundsThatChange(t *testing.T) {
	s := newScrapes(nil)
	got := ""
	for i := range 100 {
		bound := model.FormatValue(float64(i + 1))
		got = s.update(t, target(t, "a", histogram("1", bound, "1", "+Inf", "2")))
	}
	if !strings.Contains(got, "\nh_count 200.0\n") || !strings.Contains(got, "h_bucket{le=\"+Inf\"} 200.0\n") || strings.Count(got, "h_bucket") > 9 {
		t.Error(got)
	}
}

func TestWhatIsNotAddedUp(t *testing.T) {
	page := `# TYPE depth gauge
depth 1
# TYPE most gauge
most 1
# TYPE least gauge
least 1
# TYPE i info
i_info{version="1"} 1
# TYPE u unknown
u 1
# TYPE s summary
s{quantile="0.5"} 1
s_count 1
s_sum 1
# EOF
`
	s := newScrapes(func(name string) onepage.Mode {
		return map[string]onepage.Mode{"depth": onepage.Sum, "most": onepage.Largest, "least": onepage.Least}[name]
	})
	two := strings.NewReplacer("depth 1", "depth 2", "most 1", "most 2", "least 1", "least 2", "u 1", "u 2").Replace(page)
	compare(t, s.update(t, target(t, "a", page), target(t, "b", two)), `# TYPE depth gauge
		depth 3.0
		# TYPE i info
		i_info{version="1"} 1.0
		# TYPE least gauge
		least 1.0
		# TYPE most gauge
		most 2.0
		# TYPE s summary
		s_count 2.0
		s_sum 2.0
		# TYPE u unknown
		u{instance="a"} 1.0
		u{instance="b"} 2.0
		`)
	compare(t, s.update(t, target(t, "b", two)), `# TYPE depth gauge
		depth 2.0
		# TYPE i info
		i_info{version="1"} 1.0
		# TYPE least gauge
		least 2.0
		# TYPE most gauge
		most 2.0
		# TYPE s summary
		s_count 2.0
		s_sum 2.0
		# TYPE u unknown
		u{instance="b"} 2.0
		`)
}

func TestTargetsLabelsPartSums(t *testing.T) {
	s := newScrapes(nil)
	compare(t, s.update(t, target(t, "a", counter("1"), "env", "test"), target(t, "b", counter("2"), "env", "live"), target(t, "c", counter("3"), "env", "live")), `# TYPE n counter
		n_total{env="test"} 1.0
		n_total{env="live"} 5.0
		`)
}

func TestOwnSeriesAreNotAddedUp(t *testing.T) {
	s := newScrapes(nil)
	compare(t, s.update(t, own(t, counter("1")), target(t, "a", counter("2"))), `# TYPE n counter
		n_total 1.0
		n_total{instance="a"} 2.0
		`)
}

func TestWhatSumsLeaveOut(t *testing.T) {
	s := newScrapes(nil)
	s.update(t, target(t, "a", "# TYPE n_total counter\nn_total -1\n"))
	s.want(t, "a counter is -1")
	s.update(t, target(t, "a", "# TYPE n_total counter\nn_total NaN\n"))
	s.want(t, "a counter is NaN")
	s.update(t, target(t, "a", counter("1")), target(t, "b", "# TYPE n_total gauge\nn_total 1\n"))
	s.want(t, `target b: family "n_total": it is a gauge here`)
}

// One target that makes series up takes no room from others.
func TestSeriesOfSumsAreBounded(t *testing.T) {
	s := newScrapes(nil)
	var page strings.Builder
	page.WriteString("# TYPE n_total counter\n")
	for i := range 600 {
		page.WriteString(`n_total{i="` + model.FormatValue(float64(i)) + "\"} 1\n")
	}
	got := s.update(t, target(t, "bad", page.String()), target(t, "good", counter("3")))
	if n := strings.Count(got, "\nn_total{"); n != 500 || !strings.Contains(got, "\nn_total 3.0\n") {
		t.Errorf("%d series of the one, and\n%.200s", n, got)
	}
	if len(s.told) != 100 || !strings.Contains(s.told[0], "no room") {
		t.Errorf("told %d times", len(s.told))
	}
}

// A target that was away for longer than others, beyond the limit, counts as new.
func TestTargetsAreForgotten(t *testing.T) {
	s := newScrapes(nil)
	for _, name := range []string{"a", "b", "c", "d"} {
		s.update(t, target(t, name, counter("1")))
	}
	if got := s.update(t, target(t, "d", counter("1")), target(t, "c", counter("1"))); !strings.HasSuffix(got, " 4.0\n") {
		t.Error(got)
	}
	if got := s.update(t, target(t, "a", counter("1"))); !strings.HasSuffix(got, " 5.0\n") {
		t.Error(got)
	}
}

func TestExemplarsAreTheNewest(t *testing.T) {
	page := func(when string) string {
		return "# TYPE h histogram\nh_bucket{le=\"1.0\"} 1 # {t=\"" + when + "\"} 1 " + when + "\nh_bucket{le=\"+Inf\"} 1\nh_count 1\nh_sum 1\n" +
			"# TYPE n counter\nn_total 1 # {t=\"" + when + "\"} 1 " + when + "\n# EOF\n"
	}
	s := newScrapes(nil)
	got := s.update(t, target(t, "a", page("5")), target(t, "b", page("9")), target(t, "c", page("7")))
	if strings.Count(got, ` # {t="9"} 1.0 9`) != 2 || strings.Count(got, "# {") != 2 {
		t.Error(got)
	}
}

// Fractions that are added up many times are as exact as if they were added once.
func TestFractionsStayExact(t *testing.T) {
	s := newScrapes(nil)
	const n = 2000
	value := 0.0
	for range n {
		value += 0.1
		s.Update([]onepage.Page{target(t, "a", counter(model.FormatValue(value)))}, s.at, s.tell)
	}
	if got := s.update(t); !strings.HasSuffix(got, " "+model.FormatValue(value)+"\n") {
		t.Errorf("%v: %s", value, got)
	}
}
