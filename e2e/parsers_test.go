package e2e

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"telltale/exposition"
	"telltale/model"
)

// TestParsers spoils pages and has telltale's strict parsers and those of others
// read them: all have to accept or refuse a page alike and to find the same
// samples, but for what parserRules explains. MUTANTS is how many pages there
// are, from the seed that -seed tells. Metadata is compared where samples are
// the same.
func TestParsers(t *testing.T) {
	const enough = 5000 // mutants from seed 1, among which every rule is needed
	mutants := enough
	if s := os.Getenv("MUTANTS"); s != "" {
		var err error
		if mutants, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	oracles := []reader{textparseReader(), expfmtReader(), pythonReaderOf(startPython(t))}
	needed := map[*parserRule]int{}
	var pages, agreed, explained int
	judge := func(seed uint64, base string, d dialect) {
		var able []*reader // those that read the page well before it is spoilt: TestReaders speaks of the others
		for i := range oracles {
			if r := &oracles[i]; r.takes(d) && r.compareParsers(base, base, d) == nil {
				able = append(able, r)
			}
		}
		random := rand.New(rand.NewPCG(seed, 0x6d757461))
		for range 10 {
			page := mutate(random, base)
			pages++
			for _, r := range able {
				found := r.compareParsers(base, page, d)
				if found == nil {
					agreed++
					continue
				}
				rule := explain(found)
				if rule == nil {
					t.Errorf("seed %d: %s", seed, found)
					continue
				}
				explained++
				needed[rule]++
			}
		}
	}
	for i, g := range goldenPages(t) {
		judge(uint64(i), g.page, g.dialect)
	}
	for seed := *firstSeed; pages < mutants; seed++ {
		for i, base := range generatedPages(t, seed) {
			judge(seed<<8|uint64(i), base.page, base.dialect)
		}
	}
	for i := range parserRules {
		rule := &parserRules[i]
		t.Logf("%5d %s", needed[rule], rule)
		if needed[rule] == 0 && !rule.rare && *firstSeed == 1 && mutants >= enough {
			t.Errorf("never needed, take it out: %s", rule)
		}
	}
	t.Logf("%d pages: %d verdicts agree, %d disagreements are explained", pages, agreed, explained)
}

type seedPage struct {
	page    string
	dialect dialect
}

// generatedPages returns the families of a generated registry, each on a page of
// its own. Instruments are left out: they put the present time on their pages,
// which would not be the same for the same seed.
func generatedPages(t *testing.T, seed uint64) []seedPage {
	t.Helper()
	dialects := slices.DeleteFunc(dialects(), func(d dialect) bool {
		e := d.format.Escaping()
		return d.protobuf || e != model.Underscores && e != model.AllowUTF8
	})
	var all []seedPage
	p := generate(seed)
	for i := range p.families {
		if p.families[i].source == instrument {
			continue
		}
		d := dialects[(int(seed)+i)%len(dialects)]
		page, err := write(p.families[i:i+1], d)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, seedPage{string(page), d})
	}
	return all
}

// goldenPages returns the golden files of the encoders.
func goldenPages(t *testing.T) []seedPage {
	t.Helper()
	var all []seedPage
	for name, d := range map[string]dialect{
		"text.underscores":        {format: exposition.Text004},
		"text.allow-utf-8":        {format: exposition.Text100.WithEscaping(model.AllowUTF8)},
		"openmetrics.underscores": {format: exposition.OpenMetrics1, openMetrics: true},
		"openmetrics.allow-utf-8": {format: exposition.OpenMetrics1.WithEscaping(model.AllowUTF8), openMetrics: true},
		"openmetrics.created":     {format: exposition.OpenMetrics1, openMetrics: true, created: true},
	} {
		page, err := os.ReadFile(filepath.Join("..", "exposition", "testdata", name+".golden"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, seedPage{string(page), d})
	}
	slices.SortFunc(all, func(a, b seedPage) int { return strings.Compare(a.page, b.page) })
	return all
}

// readTelltale reads a page with telltale's strict parser.
func readTelltale(page string, d dialect) (reading, error) {
	var found reading
	for p := exposition.NewParser(strings.NewReader(page), d.format); ; {
		f, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return nil, err
		}
		family := readFamily{name: f.Name, typ: f.Type.String(), help: f.Help, unit: f.Unit}
		for s := range f.Samples() {
			sample := readSample{name: s.Name, labels: s.Labels.Map(), value: s.Value, at: momentOf(s.Timestamp)}
			if e := s.Exemplar; e != nil {
				sample.exemplar = &readExemplar{labels: e.Labels.Map(), value: e.Value, at: momentOf(e.Timestamp)}
			}
			family.samples = append(family.samples, sample)
		}
		found = append(found, family)
	}
}

func momentOf(at model.Timestamp) *moment {
	if !at.IsSet() {
		return nil
	}
	sec, nsec := at.UnixParts()
	ns := nanoseconds(sec, 1)
	if ns == sec*1e9 {
		ns += int64(nsec)
	}
	return &moment{ns: ns}
}

// A disagreement is a difference between two parsers about a page.
type disagreement struct {
	reader       *reader
	dialect      dialect
	page         string
	spoilt       string // the first line that was spoilt, as it is now
	line         string // what telltale's error points at, else the line that was spoilt
	ours, theirs error
	missing      *readSample // one that they have not, or have otherwise
	extra        *readSample // one that they alone have
	metadata     string      // of a family, as telltale and they read it
}

// compareParsers returns the disagreement of telltale and a reader about a page
// that was spoilt, nil if there is none.
func (r *reader) compareParsers(base, page string, d dialect) *disagreement {
	if r.name == "python" && !utf8.ValidString(page) {
		return nil // it takes characters, not bytes
	}
	found := &disagreement{reader: r, dialect: d, page: page, spoilt: firstDifference(base, page)}
	found.line = found.spoilt
	ours, err := readTelltale(page, d)
	if found.ours = err; err != nil {
		var syntax *exposition.SyntaxError
		if lines := strings.Split(page, "\n"); errors.As(err, &syntax) && syntax.Line <= len(lines) {
			found.line = lines[syntax.Line-1]
		}
	}
	theirs, err := r.readSafely(page, d)
	found.theirs = err
	switch {
	case found.ours != nil && found.theirs != nil:
		return nil
	case found.ours != nil || found.theirs != nil:
		return found
	}
	for _, rule := range r.rules {
		if rule.changes != nil {
			rule.changes(ours, d)
		}
	}
	if found.missing, found.extra = differentSample(ours, theirs); found.missing != nil || found.extra != nil {
		return found
	}
	if found.metadata = differentMetadata(ours, theirs); found.metadata != "" {
		return found
	}
	return nil
}

// differentMetadata describes the first family that two readings have with other
// metadata. Families of which one has no samples or metadata count for nothing:
// readers leave them out, or name them otherwise.
func differentMetadata(want, got reading) string {
	theirs := map[string]*readFamily{}
	for i := range got {
		theirs[got[i].name] = &got[i]
	}
	for i := range want {
		a, b := &want[i], theirs[want[i].name]
		if b == nil || len(a.samples) == 0 || len(b.samples) == 0 {
			continue
		}
		if typ := cmp.Or(b.typ, "unknown"); a.typ != typ || a.help != b.help || a.unit != b.unit {
			return fmt.Sprintf("%s\n           %s", a.header(), b.header())
		}
	}
	return ""
}

// readSafely treats a panic as a refusal.
func (r *reader) readSafely(page string, d dialect) (found reading, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if r.name == "textparse" {
		// It holds a sample to no family: metadata of any will do.
		return readTextparse(append([]byte("# TYPE telltale_before gauge\n"), page...), d)
	}
	return r.read(bytes.Clone([]byte(page)), d)
}

func firstDifference(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i, line := range b {
		if i >= len(a) || a[i] != line {
			return line
		}
	}
	return ""
}

// differentSample returns the first samples that two readings do not share, in
// whatever order and family they are.
func differentSample(want, got reading) (missing, extra *readSample) {
	a, b := flattened(want), flattened(got)
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return nil, &b[i]
		case i >= len(b):
			return &a[i], nil
		case (comparison{}).sameSample(a[i], b[i]):
		case a[i].key() < b[i].key():
			return &a[i], nil
		case a[i].key() > b[i].key():
			return nil, &b[i]
		default:
			return &a[i], &b[i]
		}
	}
	return nil, nil
}

// flattened returns the samples of a reading, sorted, with bounds and quantiles in
// one spelling.
func flattened(page reading) []readSample {
	var all []readSample
	everySample(page, func(_ *readFamily, s *readSample) {
		for _, name := range []string{"le", "quantile"} {
			if v, err := strconv.ParseFloat(s.labels[name], 64); err == nil {
				s.labels[name] = spelled(v + 0)
			}
		}
		all = append(all, *s)
	})
	slices.SortStableFunc(all, func(a, b readSample) int { return strings.Compare(a.order(), b.order()) })
	return all
}

// order is what samples are sorted by: of a series too, of which some readers
// keep the samples in another order.
func (s readSample) order() string {
	at := int64(math.MinInt64)
	if s.at != nil {
		at = s.at.ns
	}
	return fmt.Sprintf("%s %d %v", s.key(), at, s.value)
}

func (d *disagreement) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s\nspoilt: %q\n", d.reader.name, d.dialect, d.spoilt)
	switch {
	case d.ours != nil:
		fmt.Fprintf(&b, "telltale refuses: %v\nat: %q\n", d.ours, d.line)
	case d.theirs != nil:
		fmt.Fprintf(&b, "%s refuses: %v\n", d.reader.name, d.theirs)
	case d.metadata != "":
		fmt.Fprintf(&b, "metadata: %s\n", d.metadata)
	default:
		fmt.Fprintf(&b, "telltale reads: %v\nthey read: %v\n", d.missing, d.extra)
	}
	return b.String()
}
