//go:build unix

package metamorphic

import (
	"cmp"
	"math"
	"slices"

	"telltale/model"
)

// The page that the model expects.

// page returns what a page of an epoch has. Readers that are behind may still take the
// dead for living ones, and damaged files for whole ones: what live processes have
// alone is not expected of them, and what damaged files have may be there or not. Of a
// contested family the edition counts that the given page has.
func (w *world) page(epoch string, behind bool, of *page) map[sample]expectation {
	series := make(map[[2]string][]part)
	for _, p := range w.processes {
		if !p.isOf(epoch) || w.isLost(p) && !behind {
			continue
		}
		for family, rows := range p.families {
			if isOfTheLiving(family) && (behind || !p.lives) || isContested(family) && p.edition != of.shown(family) {
				continue
			}
			for label, r := range rows {
				gone, perhaps := r.isGone()
				if gone && !p.damaged {
					continue
				}
				if name := labelOf(family, p.edition); name != "n" {
					label = name + "=" + label
				}
				shown := *r
				shown.doubtful = r.doubtful || w.isLost(p) || perhaps && behind
				shown.untimed = behind && p.untimed
				key := [2]string{family, label}
				series[key] = append(series[key], part{p, &shown})
			}
		}
	}
	page := make(map[sample]expectation)
	for key, parts := range series {
		expect(page, key[0], key[1], parts, of)
	}
	return page
}

// expect adds what a page has of a series.
func expect(page map[sample]expectation, family, label string, parts []part, of *page) {
	sum := func(name string, le string, of func(r *row) []float64) {
		e := expectation{optional: true}
		var sure, all []float64
		for _, p := range parts {
			all = append(all, of(p.row)...)
			if !p.doubtful {
				sure = append(sure, of(p.row)...)
				e.optional = false
			}
		}
		e.least, e.most = exactly(sure), exactly(all)
		page[sample{name: name, label: label, le: le}] = expectation{min(e.least, e.most), max(e.least, e.most), e.optional}
	}
	value := func(r *row) []float64 { return []float64{r.value} }
	switch parts[0].kind {
	case 'c':
		sum(family+"_total", "", func(r *row) []float64 {
			return []float64{float64(r.whole >> 32 << 32), float64(r.whole & (1<<32 - 1)), r.value}
		})
	case 'g', 'l':
		sum(nameOf(family, parts[0].of.edition), "", value)
	case 'i':
		for _, p := range parts {
			if p.set == 0 { // it may say that nothing is known
				page[sample{name: family + "_info", label: label}] = expectation{1, 1, true}
				continue
			}
			page[sample{name: family + "_info", label: label + " v=" + infoOf(p.value)["v"]}] = expectation{1, 1, p.doubtful}
		}
	case 'e':
		last := slices.MaxFunc(parts, func(a, b part) int { return cmp.Compare(a.set, b.set) })
		doubtful := slices.ContainsFunc(parts, func(p part) bool { return p.doubtful })
		for _, state := range states {
			e := expectation{0, 0, doubtful}
			if state == stateOf(last.value) || doubtful {
				e.most = 1
			}
			if !doubtful {
				e.least = e.most
			}
			page[sample{name: family, label: label + " " + state}] = e
		}
	case 'm':
		best := expectation{math.Inf(-1), math.Inf(-1), true}
		for _, p := range parts {
			best.most = max(best.most, p.value)
			if !p.doubtful {
				best.least, best.optional = max(best.least, p.value), false
			}
		}
		page[sample{name: family, label: label}] = best
	case 'a':
		for _, p := range parts {
			page[sample{name: family, label: label, pid: p.of.name}] = expectation{p.value, p.value, p.doubtful}
		}
	case 't':
		last := part{row: &row{}}
		doubtful, untimed := false, false
		for _, p := range parts {
			doubtful, untimed = doubtful || p.doubtful, untimed || p.untimed
			if p.set > last.set {
				last = p
			}
		}
		e := expectation{last.value, last.value, doubtful}
		if doubtful || untimed {
			e.least, e.most = math.Inf(-1), math.Inf(1)
		}
		if last.set > 0 {
			page[sample{name: family, label: label}] = e
		}
	case 'h', 'n':
		name, bounds := "_bucket", append(slices.Clone(of.bounds[family]), math.Inf(1))
		if parts[0].kind == 'n' {
			name, bounds = "_native", of.bounds[family+" "+label]
		}
		for _, bound := range bounds {
			sum(family+name, model.FormatValue(bound), func(r *row) []float64 { return []float64{r.at(bound)} })
		}
		fallthrough
	case 's':
		sum(family+"_count", "", func(r *row) []float64 { return []float64{r.at(math.Inf(1))} })
		sum(family+"_sum", "", value)
	}
}

// boundsOf returns the bounds of histograms of an edition, but for +Inf.
func boundsOf(edition int) []float64 {
	if edition == 2 {
		return []float64{2, 5}
	}
	return []float64{1, 5}
}

// at returns what a histogram counts at a bound: what is at most its own largest bound
// that is not above that.
func (r *row) at(bound float64) (n float64) {
	own := bound
	if r.kind == 'h' {
		own = math.Inf(-1)
		for _, b := range append(slices.Clone(r.bounds), math.Inf(1)) {
			if b <= bound {
				own = b
			}
		}
	}
	for v, times := range r.observed {
		if v <= own {
			n += float64(times)
		}
	}
	return n
}

// editions returns the editions of which a family may be shown: the one that appeared
// last of those that processes of the epoch have who live, or of all if none has it. If
// it is not known who lives those are all, and those of the living, or of all, if it is
// not known when an edition appeared: archives keep what
// differs in type, name or bounds apart, and of others the newest definition alone.
func (w *world) editions(epoch, family string, behind bool) (may []int) {
	sure := !behind && (family[0] == 'h' || isContested(family)) && !w.vague[family]
	for _, lives := range []bool{true, false} {
		latest := 0
		for _, p := range w.processes {
			if p.families[family] == nil {
				continue
			}
			sure = sure && !p.python && p.isOf(epoch) && !w.isLost(p) // what appeared in other epochs may be inherited or not
			if !p.isOf(epoch) || !behind && p.lives != lives {
				continue
			}
			first := w.editionsSeen[family][p.edition]
			if sure && first > latest {
				may = may[:0]
			}
			if !sure || first >= latest {
				may, latest = append(may, p.edition), first
			}
		}
		if len(may) > 0 {
			return may
		}
	}
	return may
}
