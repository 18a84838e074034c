package telltale

// Reading one sample of a registry.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/internal/reserved"
	"telltale/model"
)

// sampleTimeout is how long [Registry.Sample] waits for custom collectors.
const sampleTimeout = 10 * time.Second

// ErrNoSample is wrapped by the errors of [Registry.Sample] if the registry has no
// such sample.
var ErrNoSample = errors.New("there is no such sample")

// Sample returns the value of the sample with that name and exactly those labels; nil
// means none. Only collectors that may have the sample are collected. Bucket and
// quantile labels are spelled as in the text format ("0.5", "1.0", "+Inf"). It is
// meant for tests; a collector that calls it is not collected itself.
//
// If there is no such sample, the error wraps [ErrNoSample] and says what comes
// closest: names that are spelled alike, the samples of a family whose name was
// given, the series of the name that differs in the fewest labels and how, or the
// spelling of a number. It also wraps a [*Fault] for each collector that failed
// meanwhile or was not done within ten seconds, and so may have had the sample.
func (r *Registry) Sample(name string, labels map[string]string) (float64, error) {
	s := sought{name: name, labels: model.LabelsOf(labels)}
	faults := s.lookIn(r)
	if s.found {
		return s.value, nil
	}
	err := fmt.Errorf("telltale: %w: %s: %s", ErrNoSample, bounded(seriesText(name, s.labels)), s.missed(r))
	if faults != nil {
		err = fmt.Errorf("%w; it may be missing because of faults: %w", err, faults)
	}
	return 0, err
}

// SampleValue is [Registry.Sample] without the error: whether there is the sample.
func (r *Registry) SampleValue(name string, labels map[string]string) (value float64, ok bool) {
	s := sought{name: name, labels: model.LabelsOf(labels)}
	_ = s.lookIn(r)
	return s.value, s.found
}

// sought is the search for a sample.
type sought struct {
	name   string
	labels model.Labels

	value   float64
	found   bool
	series  int          // of that name
	closest model.Labels // of those the one that differs least
	differs []string     // how
	weight  int          // of the differences
	native  bool         // there is a native histogram of that name, which is no number
	others  []string     // names of other samples of a family of that name
}

// lookIn looks for the sample in a registry. It returns the faults of collecting if
// it is not found.
func (s *sought) lookIn(r *Registry) error {
	ctx, cancel := context.WithTimeout(context.Background(), sampleTimeout)
	defer cancel()
	found := errors.New("found")
	view := r.Restricted(s.name)
	collection := newScrape(ctx, &r.faults)
	collection.complains = true
	err := collection.collect(view, func(f *model.Family) error {
		for sample := range f.Samples() {
			if s.look(sample); s.found {
				return found
			}
		}
		return nil
	})
	if s.found {
		return nil
	}
	return err
}

// look compares a sample with the one that is sought.
func (s *sought) look(sample model.Sample) {
	switch {
	case sample.Name != s.name:
		if len(s.others) < mostNear && !slices.Contains(s.others, sample.Name) {
			s.others = append(s.others, strings.Clone(sample.Name))
		}
		return
	case sample.NativeHistogram != nil:
		s.native = true
		return
	case sample.Labels.Same(s.labels):
		s.value, s.found = sample.Value, true
		return
	}
	s.series++
	if differs, weight := differences(s.labels, sample.Labels); s.differs == nil || weight < s.weight {
		s.differs, s.weight, s.closest = differs, weight, model.LabelsFromText(strings.Clone(sample.Labels.Text()))
	}
}

// differences says how the labels of a series differ from the wanted ones, and how
// much: a number that is spelled otherwise is less than another value.
func differences(want, has model.Labels) (list []string, weight int) {
	for name, value := range want.All() {
		held, ok := has.Get(name)
		switch {
		case !ok:
			list = append(list, fmt.Sprintf("it has no label %s", name))
		case held == value:
		case (name == "le" || name == "quantile") && sameNumber(held, value):
			weight--
			list = append(list, fmt.Sprintf("%s is spelled %q, not %q", name, held, value))
		default:
			list = append(list, fmt.Sprintf("%s is %q, not %q", name, held, value))
		}
	}
	for name, value := range has.All() {
		if _, ok := want.Get(name); !ok {
			list = append(list, fmt.Sprintf("it has the label %s=%q too", name, value))
		}
	}
	return list, weight + 2*len(list)
}

// seriesText returns a series as it is on a page.
func seriesText(name string, labels model.Labels) string {
	if labels.IsEmpty() {
		return name
	}
	return name + labels.String()
}

func sameNumber(a, b string) bool {
	x, err := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err == nil && err2 == nil && x == y
}

// missed says what comes closest to the sample.
func (s *sought) missed(r *Registry) string {
	switch {
	case s.series > 0:
		return bounded(fmt.Sprintf("of %d with that name the closest is %s: %s", s.series, seriesText(s.name, s.closest), strings.Join(s.differs, ", ")))
	case s.native:
		return "it is a native histogram, whose numbers are " + s.name + "_count and " + s.name + "_sum"
	case len(s.others) > 0:
		return bounded("that is a family, whose samples are " + strings.Join(s.others, ", "))
	}
	names := r.sampleNames()
	if slices.Contains(names, s.name) {
		return "a family that is registered has samples of that name, but none now"
	}
	near := nearest(s.name, names)
	if len(near) == 0 {
		return "nothing has that name"
	}
	return bounded("nothing has that name; these are alike: " + strings.Join(near, ", "))
}

// sampleNames returns the names of samples that the registry's collectors describe.
func (r *Registry) sampleNames() []string {
	var names []string
	for _, f := range r.Describe() {
		for name := range reserved.SampleNames(f) {
			if !strings.HasSuffix(name, "_created") && (name != f.Name || f.SampleName() == f.Name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

const (
	mostNear     = 5   // names that an error lists
	longestAlike = 200 // bytes of a name that is compared with others
)

// nearest returns the names that are spelled almost like one, or contain it or are
// contained in it, the most alike first.
func nearest(name string, names []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	if name == "" || len(name) > longestAlike {
		return nil
	}
	for _, other := range names {
		if len(other) > longestAlike {
			continue
		}
		d := distance(name, other)
		if within := strings.Contains(other, name) || strings.Contains(name, other); within || d <= max(2, len(name)/4) {
			near = append(near, candidate{other, d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var list []string
	for _, c := range near[:min(len(near), mostNear)] {
		list = append(list, c.name)
	}
	return list
}

// distance returns how many bytes must be added, removed or replaced to make one text
// of the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
