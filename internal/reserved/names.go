package reserved

import (
	"iter"

	"telltale/model"
)

// Parts returns the parts whose names no other family of a page may have beside a family of
// the type, though no sample of the type has them: text has no gauge histograms, which are
// histograms there, and readers take x_sum and x_count for samples of a histogram x.
func Parts(typ model.Type) model.Parts {
	if typ == model.GaugeHistogram {
		return model.PartSum | model.PartCount
	}
	return 0
}

// Suffixes iterates over what is behind a family's name in the names of [Parts].
func Suffixes(typ model.Type) iter.Seq[string] {
	return func(yield func(string) bool) {
		more := true
		Parts(typ).Each(func(part model.Parts) { more = more && yield(part.Suffix()) })
	}
}

// Names iterates over the names that a family takes on a page: those of [SampleNames], and
// those that no other family may have beside it.
func Names(f *model.Family) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range SampleNames(f) {
			if !yield(name) {
				return
			}
		}
		for suffix := range Suffixes(f.Type) {
			if !yield(f.BaseName() + suffix) {
				return
			}
		}
	}
}

// SampleNames iterates over a family's name and those of all samples that its type can have.
func SampleNames(f *model.Family) iter.Seq[string] {
	return func(yield func(string) bool) {
		more := yield(f.BaseName())
		f.Type.Parts().Each(func(part model.Parts) {
			if name := f.NameOf(part); more && name != f.BaseName() {
				more = yield(name)
			}
		})
	}
}
