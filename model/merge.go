package model

import "fmt"

// Merge is the rule by which the values of one series in several processes
// become the value on their common page. It has an effect in registries with a
// store of package multiprocess; encoders and parsers ignore it. The zero Merge
// is the default of the type: [MergeSum] for counters, histograms and summaries,
// [MergeEach] for gauges and values of unknown type; of infos all different ones
// are shown, of state sets the one that was set last.
type Merge uint8

// The rules. Each but MergeOnce is for counters, gauges and values of unknown type,
// MergeSum for histograms and summaries too.
const (
	// MergeSum shows the sum of the values.
	MergeSum Merge = iota + 1
	// MergeMax shows the largest value: for a quantity that the processes share,
	// such as the traffic of their machine.
	MergeMax
	// MergeEach shows the value of each live process, with the label pid.
	MergeEach
	// MergeOnce shows only the value of the process that is collected, without
	// the label pid: for values that are the same in each process, or that
	// concern only this one. Families of all types may have it.
	MergeOnce
)

// WithMerge sets the rule by which the family's values merge across processes.
func WithMerge(m Merge) FamilyOption {
	return familyOption(func(f *Family) { f.Merge = m })
}

// String returns the rule in one word, "usual" for the zero Merge.
func (m Merge) String() string {
	switch m {
	case 0:
		return "usual"
	case MergeSum:
		return "sum"
	case MergeMax:
		return "max"
	case MergeEach:
		return "each"
	case MergeOnce:
		return "once"
	}
	return fmt.Sprintf("Merge(%d)", uint8(m))
}

// check returns an error if families of the type cannot merge by the rule.
func (m Merge) check(name string, t Type) error {
	fits := false
	switch m {
	case 0, MergeOnce:
		fits = true
	case MergeSum:
		fits = t != Info && t != StateSet
	case MergeMax, MergeEach:
		fits = t == Counter || t == Gauge || t == Unknown
	}
	if !fits {
		return fmt.Errorf("model: family %q is a %s, which cannot merge by the rule %s", name, t, m)
	}
	return nil
}
