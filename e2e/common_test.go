package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"telltale/exposition"
	"telltale/model"
)

// commonRule is a difference between the specification and the parsers or
// encoders of OpenMetrics in common v0.74.
type commonRule struct {
	says   string // an expression for the error, theirs or telltale's
	clause string
	why    string
	needed int
}

// commonFormats are those of OpenMetrics that common reads and writes.
var commonFormats = []exposition.Format{
	exposition.OpenMetrics1, exposition.OpenMetrics1.WithEscaping(model.AllowUTF8), exposition.OpenMetrics2,
}

// commonPages is how many pages are written: the parsers take a line's length to the
// square.
const commonPages = 20

// commonFamilies returns families of every type that has times, exemplars or values
// of several parts. Units are in the names as OpenMetrics 1.0 has them.
func commonFamilies(seed uint64) (all []*model.Family) {
	r := rand.New(rand.NewPCG(seed, 7))
	for i := range 4 {
		f := randomFamily(r, i)
		all = append(all, f.Renamed(f.Name+"_seconds"))
	}
	return all
}

func encodeByTelltale(t *testing.T, families []*model.Family, f exposition.Format) []byte {
	t.Helper()
	var page bytes.Buffer
	enc := exposition.NewEncoder(&page, f, exposition.WithCreated())
	var err error
	for _, family := range families {
		err = errors.Join(err, enc.Encode(family))
	}
	if err = errors.Join(err, enc.Close()); err != nil {
		t.Fatal(err)
	}
	return page.Bytes()
}

// TestCommonReads has common's parsers of OpenMetrics 1.0 and 2.0 read what telltale
// writes. They find what telltale's find, in the messages of protobuf: metadata,
// values, timestamps, exemplars.
func TestCommonReads(t *testing.T) {
	rules := []*commonRule{}
	for seed := *firstSeed; seed < *firstSeed+commonPages; seed++ {
		for _, family := range commonFamilies(seed) {
			for _, f := range commonFormats {
				page := encodeByTelltale(t, []*model.Family{family}, f)
				ours, err := decodeByTelltale(page, f)
				if err != nil {
					t.Fatalf("seed %d: telltale: %v in\n%s", seed, err, page)
				}
				theirs, err := decodeByCommon(page, f)
				if err == nil && !slices.Equal(messageLines(theirs), messageLines(ours)) {
					err = errors.New(differentLines(messageLines(theirs), messageLines(ours)))
				}
				if err != nil {
					refused(t, rules, err, fmt.Sprintf("seed %d, %s:\n%s", seed, f, page))
				}
			}
		}
	}
	allNeeded(t, rules)
}

// TestCommonWrites has telltale's strict parsers read what common's encoders write.
func TestCommonWrites(t *testing.T) {
	rules := []*commonRule{
		{says: `samples of one metric with and without timestamp`, clause: "1.0, Metric", why: "lines of created times have no timestamp where the others of the point have one"},
		{says: `does not support float histogram`, clause: "1.0, Histogram: counts are integers", why: "they refuse to write histograms of floats; telltale writes those that are whole"},
		{says: `which clashes with one before it`, clause: "1.0, Suffixes: GaugeHistogram", why: "gauge histograms have _sum and _count instead of _gsum and _gcount"},
		{says: `found -[0-9.e-]+, expected a number not below zero: sums count`, clause: "1.0, Histogram", why: "they write negative sums"},
		{says: `a sum beside a negative bound`, clause: "1.0, Histogram", why: "they write sums beside negative bounds"},
	}
	messages := exposition.Protobuf.WithEscaping(model.AllowUTF8)
	for seed := *firstSeed; seed < *firstSeed+commonPages; seed++ {
		for _, family := range commonFamilies(seed) {
			all, err := decodeByCommon(encodeByTelltale(t, []*model.Family{family}, messages), messages)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range commonFormats {
				var page bytes.Buffer
				enc := expfmt.NewEncoder(&page, commonFormat(f), expfmt.WithCreatedLines())
				for _, m := range all {
					err = errors.Join(err, enc.Encode(m))
				}
				err = errors.Join(err, enc.(expfmt.Closer).Close())
				if err == nil {
					_, err = decodeByTelltale(page.Bytes(), f)
				}
				if err != nil {
					refused(t, rules, err, fmt.Sprintf("seed %d, %s:\n%s", seed, f, &page))
				}
			}
		}
	}
	allNeeded(t, rules)
}

// differentLines returns the lines that only one of two readings has.
func differentLines(theirs, ours []string) string {
	var b strings.Builder
	for _, line := range theirs {
		if !slices.Contains(ours, line) {
			fmt.Fprintf(&b, "common alone reads %s\n", line)
		}
	}
	for _, line := range ours {
		if !slices.Contains(theirs, line) {
			fmt.Fprintf(&b, "telltale alone reads %s\n", line)
		}
	}
	return b.String()
}

func refused(t *testing.T, rules []*commonRule, err error, where string) {
	t.Helper()
	for _, r := range rules {
		if regexp.MustCompile(r.says).MatchString(err.Error()) {
			r.needed++
			return
		}
	}
	t.Errorf("%v\n%s", err, where)
}

func allNeeded(t *testing.T, rules []*commonRule) {
	t.Helper()
	for _, r := range rules {
		t.Logf("%4d %s (%s)", r.needed, r.why, r.clause)
		if r.needed == 0 && *firstSeed == 1 {
			t.Errorf("never needed, take it out: %s", r.says)
		}
	}
}

func commonFormat(f exposition.Format) expfmt.Format { return expfmt.Format(f.ContentType()) }

func decodeByCommon(page []byte, f exposition.Format) (all []*dto.MetricFamily, err error) {
	dec := expfmt.NewDecoder(bytes.NewReader(page), commonFormat(f))
	for {
		var m dto.MetricFamily
		switch err := dec.Decode(&m); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, &m)
	}
}

// decodeByTelltale reads a page with telltale's strict parser, and has it written in
// protobuf.
func decodeByTelltale(page []byte, f exposition.Format) ([]*dto.MetricFamily, error) {
	var out bytes.Buffer
	enc := exposition.NewEncoder(&out, exposition.Protobuf.WithEscaping(model.AllowUTF8))
	for p := exposition.NewParser(bytes.NewReader(page), f); ; {
		family, err := p.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = enc.Encode(family)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	return decodeByCommon(out.Bytes(), exposition.Protobuf.WithEscaping(model.AllowUTF8))
}

// messageLines spells messages, sorted. A family's name is without the suffix that
// some give it and some do not.
func messageLines(families []*dto.MetricFamily) (lines []string) {
	for _, f := range families {
		name := strings.TrimSuffix(strings.TrimSuffix(f.GetName(), "_total"), "_info")
		lines = append(lines, fmt.Sprintf("%q %s help %q unit %q", name, f.GetType(), f.GetHelp(), f.GetUnit()))
		for _, m := range f.Metric {
			created := fmt.Sprint(m.GetCounter().GetCreatedTimestamp().AsTime().UnixNano(), m.GetSummary().GetCreatedTimestamp().AsTime().UnixNano(), m.GetHistogram().GetCreatedTimestamp().AsTime().UnixNano())
			for _, s := range samplesOf(name, m) {
				lines = append(lines, s.String()+" since "+created)
			}
			for _, x := range append(m.GetHistogram().GetExemplars(), m.GetCounter().GetExemplar()) {
				lines = append(lines, exemplarLine(x))
			}
			for _, b := range m.GetHistogram().GetBucket() {
				lines = append(lines, exemplarLine(b.GetExemplar()))
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

func exemplarLine(x *dto.Exemplar) string {
	if x == nil {
		return ""
	}
	labels := map[string]string{}
	for _, l := range x.Label {
		labels[l.GetName()] = l.GetValue()
	}
	at := int64(math.MinInt64)
	if x.Timestamp != nil {
		at = x.Timestamp.AsTime().UnixNano()
	}
	return fmt.Sprintf("# %s %v %d", labelText(labels), x.GetValue(), at)
}
