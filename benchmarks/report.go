package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

// report is a run's outcome, as -json writes it.
type report struct {
	Time       time.Time         `json:"time"`
	Plan       string            `json:"plan"`
	Rounds     int               `json:"rounds"`  // at most: long stages end earlier
	Seconds    float64           `json:"seconds"` // that measuring took
	Go         string            `json:"go"`
	Platform   string            `json:"platform"`
	Processors int               `json:"processors"`
	Processor  string            `json:"processor,omitempty"` // its model, if known
	Modules    map[string]string `json:"modules"`
	Rows       []rowReport       `json:"rows"`
}

// rowReport is a row with all peers that offer it.
type rowReport struct {
	Name  string       `json:"name"`
	Unit  unit         `json:"unit"`
	Peers []peerReport `json:"peers"`
}

// peerReport is one peer in one row.
type peerReport struct {
	Peer    string   `json:"peer"`
	Samples []sample `json:"samples"` // one a round, the same rounds for all peers of a row
	Value   spread   `json:"value"`
	Allocs  float64  `json:"allocs_perop"`
	Bytes   float64  `json:"bytes_perop"`
	// Ratio is telltale's figure over this peer's.
	Ratio    *ratio    `json:"telltale_ratio,omitempty"`
	Verdicts []verdict `json:"verdicts,omitempty"`
}

// spread is the middle and the range of some figures.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// ratio compares two series of samples. Value is the median of one over the
// median of the other, the medians that are shown; Min and Max are the least and
// the largest ratio of a single round.
type ratio struct {
	Value float64 `json:"value"`
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
}

// ratioOf divides; ok is false if either figure is missing or the divisor is
// zero.
func ratioOf(ours, theirs []sample) (r ratio, ok bool) {
	if len(ours) == 0 || len(theirs) == 0 {
		return ratio{}, false
	}
	divisor := spreadOf(of(theirs, value)).Median
	if divisor <= 0 {
		return ratio{}, false
	}
	r.Value = spreadOf(of(ours, value)).Median / divisor
	r.Min, r.Max = r.Value, r.Value
	for i := range min(len(ours), len(theirs)) { // rows of two stages may differ in rounds
		if theirs[i].Value > 0 {
			round := ours[i].Value / theirs[i].Value
			r.Min, r.Max = min(r.Min, round), max(r.Max, round)
		}
	}
	return r, true
}

// byItself is a figure that is compared with nothing but a target.
func byItself(figures []float64) ratio {
	s := spreadOf(figures)
	return ratio{s.Median, s.Min, s.Max}
}

// spreadOf sums figures up; there must be at least one.
func spreadOf(figures []float64) spread {
	sorted := slices.Sorted(slices.Values(figures))
	half := len(sorted) / 2
	median := sorted[half]
	if len(sorted)%2 == 0 {
		median = (sorted[half-1] + sorted[half]) / 2
	}
	return spread{Median: median, Min: sorted[0], Max: sorted[len(sorted)-1]}
}

// of picks one figure out of each sample.
func of(samples []sample, pick func(sample) float64) []float64 {
	figures := make([]float64, len(samples))
	for i, s := range samples {
		figures[i] = pick(s)
	}
	return figures
}

func value(s sample) float64      { return s.Value }
func allocCount(s sample) float64 { return s.Allocs }
func allocBytes(s sample) float64 { return s.Bytes }

// newReport works the results out: spreads, ratios and verdicts.
func newReport(p plan, results []result, start time.Time) report {
	r := report{
		Time:       start.UTC().Truncate(time.Second),
		Seconds:    time.Since(start).Round(time.Second).Seconds(),
		Plan:       p.description,
		Rounds:     p.rounds,
		Go:         runtime.Version(),
		Platform:   runtime.GOOS + "/" + runtime.GOARCH,
		Processors: runtime.GOMAXPROCS(0),
		Processor:  processorModel(),
		Modules:    modules(),
	}
	ours := make(map[string][]sample) // telltale's samples by row
	for _, one := range results {
		if one.peer == telltaleName {
			ours[one.row.name] = one.samples
		}
	}
	for _, one := range results {
		if len(r.Rows) == 0 || r.Rows[len(r.Rows)-1].Name != one.row.name {
			r.Rows = append(r.Rows, rowReport{Name: one.row.name, Unit: one.row.unit})
		}
		if len(one.samples) == 0 {
			continue
		}
		last := &r.Rows[len(r.Rows)-1]
		last.Peers = append(last.Peers, newPeerReport(one, ours))
	}
	return r
}

func newPeerReport(one result, ours map[string][]sample) peerReport {
	p := peerReport{
		Peer:    one.peer,
		Samples: one.samples,
		Value:   spreadOf(of(one.samples, value)),
		Allocs:  spreadOf(of(one.samples, allocCount)).Median,
		Bytes:   spreadOf(of(one.samples, allocBytes)).Median,
	}
	if one.peer == telltaleName {
		p.Verdicts = ownVerdicts(one, ours)
		return p
	}
	our := ours[one.row.name]
	if r, ok := ratioOf(our, one.samples); ok {
		p.Ratio = &r
	}
	for _, t := range targetsAgainst(one.row, one.peer) {
		r, ok := ratioOf(our, one.samples)
		if t.measure == ratioOfPeer {
			r, ok = ratioOf(one.samples, our)
		}
		if ok {
			p.Verdicts = append(p.Verdicts, judge(t, one.row.unit, r))
		}
	}
	return p
}

// targetsAgainst lists the targets of a row relative to a peer. Without a target
// for a rival, telltale still must not be slower.
func targetsAgainst(r row, peer string) []target {
	var against []target
	for _, t := range r.targets {
		if (t.measure == ratioToPeer || t.measure == ratioOfPeer) && t.of == peer {
			against = append(against, t)
		}
	}
	if len(against) == 0 && slices.Contains(rivals, peer) {
		against = append(against, times(notSlower, peer))
	}
	return against
}

// ownVerdicts judges the targets that compare telltale with no peer.
func ownVerdicts(one result, ours map[string][]sample) []verdict {
	var verdicts []verdict
	for _, t := range one.row.targets {
		switch t.measure {
		case figure:
			verdicts = append(verdicts, judge(t, one.row.unit, byItself(of(one.samples, value))))
		case allocations:
			// A background goroutine may allocate meanwhile: whole ones count.
			verdicts = append(verdicts, judge(t, one.row.unit, byItself(of(one.samples, wholeAllocs))))
		case ratioToRow:
			if r, ok := ratioOf(one.samples, ours[t.of]); ok {
				verdicts = append(verdicts, judge(t, one.row.unit, r))
			}
		case ratioToPeer, ratioOfPeer:
		}
	}
	return verdicts
}

func wholeAllocs(s sample) float64 { return float64(int64(s.Allocs)) }

// modules lists the versions of what was built in.
func modules() map[string]string {
	versions := make(map[string]string)
	if python, ok := findPython(); ok {
		versions["prometheus_client on Python "+python.language] = python.version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return versions
	}
	for _, m := range info.Deps {
		if slices.Contains(measuredModules, m.Path) {
			versions[m.Path] = m.Version
		}
	}
	return versions
}

// measuredModules are the peers' modules, whose versions belong in the report.
var measuredModules = []string{
	"github.com/prometheus/client_golang",
	"github.com/prometheus/prometheus",
	"github.com/VictoriaMetrics/metrics",
	"go.opentelemetry.io/otel/sdk/metric",
	"go.opentelemetry.io/otel/exporters/prometheus",
}

// writeJSON writes the report with all samples.
func (r report) writeJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// readReport reads what writeJSON has written.
func readReport(path string) (r report, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return report{}, err
	}
	if err := json.Unmarshal(content, &r); err != nil {
		return report{}, fmt.Errorf("%s is no report of figures: %w", path, err)
	}
	if len(r.Rows) == 0 {
		return report{}, fmt.Errorf("%s has no rows", path)
	}
	return r, nil
}

// took is how long measuring took.
func (r report) took() string { return (time.Duration(r.Seconds) * time.Second).String() }

// sortedModules lists path and version, by path.
func (r report) sortedModules() [][2]string {
	var list [][2]string
	for path, version := range r.Modules {
		list = append(list, [2]string{path, version})
	}
	slices.SortFunc(list, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	return list
}
