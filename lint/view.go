package lint

import (
	"hash/maphash"
	"strings"

	"telltale/model"
)

// view is a family as the rules see it.
type view struct {
	typ      model.Type
	name     string // of the family in text
	unit     string
	help     string
	labels   []string // all names, in the order in which they come
	repeated string   // labels of a series that stands on the page twice with one timestamp
}

// words returns the words of the name in lower case.
func (v *view) words() []string { return strings.Split(strings.ToLower(v.name), "_") }

// base returns the name without the suffix that its samples have.
func (v *view) base() string {
	suffix := map[model.Type]string{model.Counter: "_total", model.Info: "_info"}[v.typ]
	if cut := strings.TrimSuffix(v.name, suffix); cut != "" {
		return cut
	}
	return v.name
}

// look walks a family once. A label without a value is no label (Prometheus
// documentation, "Data model").
func look(f *model.Family) *view {
	v := &view{typ: f.Type, name: f.SampleName(), unit: f.Unit, help: f.Help}
	names := map[string]bool{}
	seen := map[uint64]bool{}
	seed := maphash.MakeSeed()
	var scratch model.Point
	_ = f.Visit(&scratch, func(p *model.Point) error {
		hash := uint64(0)
		for _, labels := range []model.Labels{p.Labels, p.Info} {
			for name, value := range labels.Raw() { // alike in every order
				if value != "" {
					hash += maphash.String(seed, name+"="+value)
				}
			}
			for name, value := range labels.All() {
				if value != "" && !names[name] {
					names[name] = true
					v.labels = append(v.labels, name)
				}
			}
		}
		hash += maphash.String(seed, p.Timestamp.String())
		if seen[hash] && v.repeated == "" {
			v.repeated = p.Labels.Append(p.Info).String()
		}
		seen[hash] = true
		return nil
	})
	return v
}
