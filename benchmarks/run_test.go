package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// tinyPlan is the quick plan made small enough for a test.
func tinyPlan() plan {
	p := quickPlan()
	p.rounds, p.sample = 2, 100*time.Microsecond
	p.created, p.others, p.few, p.many, p.most = 100, 10, 100, 1000, 2000
	p.histograms, p.heavy, p.families = 50, 100, 10
	p.writers, p.folded, p.stored, p.living = []int{2}, 5, 100, 100
	return p
}

// aloneIn matches the rows whose work only telltale offers.
var aloneIn = regexp.MustCompile("^(labelled-inc-limited|expiring-|scrape-rules|scrape-joined|scrape-separate|parse-openmetrics-families|segments-|folded-|stored/|remote-write-growth|remote-write-shards-growth)")

// TestMain is the program's main as far as it calls itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == writersVerb {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestRowsRun measures all rows with all peers; it checks the results, never
// their times.
func TestRowsRun(t *testing.T) {
	p := tinyPlan()
	rows := p.rows()
	results, err := p.run(rows, roster(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	made := newReport(p, results, time.Now())
	if len(made.Rows) != len(rows) {
		t.Fatalf("%d rows reported, want %d", len(made.Rows), len(rows))
	}
	for _, r := range made.Rows {
		if r.find(telltaleName) == nil {
			t.Errorf("%s has no figures of telltale", r.Name)
		}
		if len(r.Peers) < 2 && !aloneIn.MatchString(r.Name) {
			t.Errorf("%s has no peer to compare with", r.Name)
		}
		for _, one := range r.Peers {
			if len(one.Samples) != p.rounds {
				t.Errorf("%s has %d samples of %s, want %d", r.Name, len(one.Samples), one.Peer, p.rounds)
			}
		}
	}
	checkOutputs(t, made)
	checkDocsOf(t, made)
}

// checkOutputs has the report written in all forms.
func checkOutputs(t *testing.T, made report) {
	t.Helper()
	var table, file bytes.Buffer
	for _, err := range []error{made.writeTable(&table), made.writeJSON(&file)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range made.Rows {
		if !strings.Contains(table.String(), "\n"+r.Name+" ") {
			t.Errorf("%s is not in the table", r.Name)
		}
	}
	var back report
	if err := json.Unmarshal(file.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Rows) != len(made.Rows) {
		t.Errorf("%d rows in JSON, want %d", len(back.Rows), len(made.Rows))
	}
}

// TestRowsAreSound checks the table of rows for mistakes.
func TestRowsAreSound(t *testing.T) {
	for _, p := range []plan{fullPlan(), quickPlan()} {
		var names []string
		for _, r := range p.rows() {
			names = append(names, r.name)
		}
		for _, r := range p.rows() {
			for _, want := range r.targets {
				switch want.measure {
				case ratioToPeer, ratioOfPeer:
					if _, err := choosePeers(roster(), want.of); err != nil {
						t.Errorf("%s: %v", r.name, err)
					}
				case ratioToRow:
					if !slices.Contains(names, want.of) {
						t.Errorf("%s compares with no row: %s", r.name, want.of)
					}
				case figure, allocations:
				}
			}
		}
		slices.Sort(names)
		if got := len(slices.Compact(names)); got != len(p.rows()) {
			t.Errorf("%d names for %d rows", got, len(p.rows()))
		}
	}
}

func TestCommandRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, args := range [][]string{
		{"-rows", "no such row"}, {"-rows", "("}, {"-peers", "nobody"}, {"extra"}, {"-rounds", "-1"},
		{"-docs", ".", "-quick"}, {"-docs", "..", "-rows", "heap"}, {"-docs", "..", "-peers", "vm"},
		{"-from", "no such file"}, {"-from", "doc.go"}, {"-from", "x", "-quick"}, {"-json", "no such directory/x"},
	} {
		if err := benchmark(args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}

// TestRatioIsOfTheMediansShown simulates a machine that slows down threefold in
// the second round, for all peers or for one.
func TestRatioIsOfTheMediansShown(t *testing.T) {
	for _, c := range []struct {
		name         string
		ours, theirs []float64
		want         ratio
	}{
		{"all alike", []float64{10, 30, 11}, []float64{20, 60, 20}, ratio{0.55, 0.5, 0.55}},
		{"one of them", []float64{25, 14, 26}, []float64{50, 42, 49}, ratio{25.0 / 49, 14.0 / 42, 26.0 / 49}},
		{"one round", []float64{3}, []float64{4}, ratio{0.75, 0.75, 0.75}},
		{"a round of nothing", []float64{1, 2, 3}, []float64{0, 4, 4}, ratio{0.5, 0.5, 0.75}},
	} {
		got, ok := ratioOf(samples(c.ours...), samples(c.theirs...))
		if !ok || got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if shown := spreadOf(c.ours).Median / spreadOf(c.theirs).Median; got.Value != shown {
			t.Errorf("%s: %v beside medians whose ratio is %v", c.name, got.Value, shown)
		}
	}
	for _, theirs := range [][]float64{nil, {0, 0}} {
		if got, ok := ratioOf(samples(1, 2), samples(theirs...)); ok {
			t.Errorf("%v over %v", got, theirs)
		}
	}
}

func samples(values ...float64) []sample {
	all := make([]sample, len(values))
	for i, v := range values {
		all[i].Value = v
	}
	return all
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		target target
		got    float64
		want   outcome
		words  string
	}{
		{times(0.4, floorName), 0.4, met, "0.40x"},
		{times(0.4, floorName), 0.43, near, "0.40x"},
		{times(0.4, floorName), 0.45, missed, "0.40x"},
		{below(130), 130, met, "130 B"},
		{below(130), 140, near, "130 B"},
		{below(130), 144, missed, "130 B"},
		{noAllocs, 0, met, "0 allocs"},
		{noAllocs, 1, missed, "0 allocs"},
		{timesRow(2, "churn-heap/fresh"), 2.3, missed, "2.00x churn-heap/fresh"},
	} {
		got := judge(c.target, bytesSeries, byItself([]float64{c.got}))
		if got.Outcome != c.want || got.Target != c.words {
			t.Errorf("%v: %+v, want %s and %q", c.got, got, c.want, c.words)
		}
	}
}

func TestSpell(t *testing.T) {
	for _, c := range []struct {
		figure float64
		unit   unit
		want   string
	}{
		{2.4, perOperation, "2.40 ns"},
		{173.2, perOperation, "173 ns"},
		{6340, nanosSeries, "6.34 µs"},
		{260e6, nanosScrape, "260 ms"},
		{1475, bytesSeries, "1475 B"},
		{2 << 20, bytesOfScrape, "2 MiB"},
		{0.0004, bytesOfScrape, "0 B"},
	} {
		if got := spell(c.figure, c.unit); got != c.want {
			t.Errorf("%v spells %q, want %q", c.figure, got, c.want)
		}
	}
}
