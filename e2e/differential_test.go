package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"
)

var (
	firstSeed  = flag.Uint64("seed", 1, "the seed of the first registry")
	pageCount  = flag.Int("pages", 150, "how many registries are written and read")
	onlyFamily = flag.Int("family", -1, "look at this family of each registry only")
)

// TestReaders writes random registries in every dialect and checks that every
// reader finds exactly what was planned.
func TestReaders(t *testing.T) {
	readers := []reader{textparseReader(), expfmtReader(), textparseProtobufReader(), expfmtProtobufReader(), pythonReaderOf(startPython(t))}
	needed := map[*rule]int{}
	wrong := map[*reader]bool{}
	for seed := *firstSeed; seed < *firstSeed+uint64(*pageCount); seed++ {
		p := generate(seed)
		if *onlyFamily >= 0 {
			p.families = slices.DeleteFunc(p.families, func(f familyPlan) bool { return f.index != *onlyFamily })
		}
		for _, d := range dialects() {
			for i := range readers {
				// One failure of each reader is enough.
				if r := &readers[i]; r.takes(d) && !wrong[r] {
					wrong[r] = !r.check(t, p, d, needed)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	const enough = 150 // pages from seed 1, among which every rule is needed
	for _, r := range readers {
		for _, rule := range r.rules {
			t.Logf("%s: rule %q was needed %d times: %s", r.name, rule.name, needed[rule], rule.why)
			if needed[rule] == 0 && *firstSeed == 1 && *pageCount >= enough && *onlyFamily < 0 {
				t.Errorf("%s: rule %q is never needed; take it out", r.name, rule.name)
			}
		}
	}
}

// check makes the reader read the plan's page. If that fails, it looks for the
// one family that causes the failure.
func (r *reader) check(t *testing.T, p *plan, d dialect, needed map[*rule]int) bool {
	t.Helper()
	if why, _ := r.disagrees(p.families, d, needed); why == "" {
		return true
	}
	for i := range p.families {
		if why, page := r.disagrees(p.families[i:i+1], d, nil); why != "" {
			f := &p.families[i]
			t.Errorf("%s, %s, -seed %d -family %d (%s %s %q):\n%s\n%s", r.name, d, p.seed, f.index, f.source, f.typ, f.name, why, page)
			return false
		}
	}
	why, page := r.disagrees(p.families, d, nil)
	t.Errorf("%s, %s, -seed %d, all families together:\n%s\n%s", r.name, d, p.seed, why, page)
	return false
}

// disagrees describes how the reader's result differs from the plan, "" if it
// does not, and on which page.
func (r *reader) disagrees(families []familyPlan, d dialect, needed map[*rule]int) (why, page string) {
	shown := slices.Clone(families)
	for _, rule := range r.rules {
		if rule.keepsBack != nil {
			before := len(shown)
			shown = slices.DeleteFunc(shown, func(f familyPlan) bool { return rule.keepsBack(&f, d) })
			count(needed, rule, before-len(shown))
		}
	}
	compare := comparison{ordered: r.ordered, began: time.Now()}
	written, err := write(shown, d)
	if err != nil {
		return fmt.Sprintf("telltale: %v", err), string(written)
	}
	want := expect(shown, d)
	for _, rule := range r.rules {
		if rule.changes != nil {
			before := fmt.Sprint(want)
			rule.changes(want, d)
			if needed != nil && fmt.Sprint(want) != before {
				count(needed, rule, 1)
			}
		}
	}
	got, err := r.read(bytes.Clone(written), d)
	if err != nil {
		return fmt.Sprintf("refused: %v", err), string(written)
	}
	return compare.difference(want, got), string(written)
}

func count(needed map[*rule]int, r *rule, times int) {
	if needed != nil {
		needed[r] += times
	}
}
