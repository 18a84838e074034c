//go:build unix

package metamorphic

import (
	"fmt"
	"slices"
	"strings"
)

// epochsOf returns the epochs that a page of a process's own registry may be of.
func (r *run) epochsOf(p *process) []string {
	if p.epoch != "" {
		return []string{p.epoch}
	}
	return r.world.epochsSeen(true)
}

// epochsSeen returns the epochs that a page may be of. Readers that are behind may take
// those for live ones of which a process lived.
func (w *world) epochsSeen(behind bool) []string {
	may := []string{w.epoch(nil)}
	if !behind {
		return may
	}
	names := sorted(w.epochs)
	for set := range 1 << len(names) {
		taken := make(map[string]bool)
		for i, name := range names {
			taken[name] = set>>i&1 == 1
		}
		if e := w.epoch(taken); !slices.Contains(may, e) {
			may = append(may, e)
		}
	}
	return may
}

// wrong returns what is wrong with a page that is of one of the epochs.
func (w *world) wrong(p *page, behind bool, epochs []string) (wrong string) {
	for _, epoch := range epochs {
		in := w.wrongIn(p, behind, epoch)
		if in == "" {
			return ""
		}
		if wrong += in; len(epochs) > 1 {
			wrong += fmt.Sprintf(" if the epoch is %q\n", epoch)
		}
	}
	return wrong
}

func (w *world) wrongIn(p *page, behind bool, epoch string) string {
	if wrong := p.misses(w.page(epoch, behind, p), behind); wrong != "" {
		return wrong
	}
	for _, name := range sorted(p.help) {
		family, _, _ := strings.Cut(name, "_")
		var bounds [][]float64
		var help []string
		editions := w.editions(epoch, family, behind)
		if shown := p.shown(family); isContested(family) && !slices.Contains(editions, shown) {
			return fmt.Sprintf("%s is that of edition %d, it has to be that of %v", name, shown, editions)
		}
		for _, edition := range editions {
			bounds, help = append(bounds, boundsOf(edition)), append(help, helpOf(edition))
		}
		if shown := p.bounds[family]; shown != nil && family[0] == 'h' && !slices.ContainsFunc(bounds, func(b []float64) bool { return slices.Equal(b, shown) }) {
			return fmt.Sprintf("%s has the bounds %v, it has to have those of %v", family, shown, help)
		}
		if !slices.Contains(help, p.help[name]) {
			return fmt.Sprintf("%s has the help %q, it has to have that of %v", name, p.help[name], help)
		}
	}
	return ""
}
