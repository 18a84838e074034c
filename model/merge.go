package model

import "fmt"

// Merge says how the values that several processes have for one series become what
// a page of all of them shows. It matters where a registry has a store of the
// package multiprocess; encoders and parsers do not know it. The zero Merge is what
// is usual for the type: [MergeSum] for counters, histograms and summaries,
// [MergeEach] for gauges and values of unknown type; of infos all different ones are
// shown, of state sets the one that was set last.
type Merge uint8

// The rules. Each but MergeOnce is for counters, gauges and values of unknown type,
// MergeSum for histograms and summaries too.
const (
	// MergeSum adds up the values.
	MergeSum Merge = iota + 1
	// MergeMax shows the largest value: what the processes measure is the same thing,
	// such as the traffic of their machine.
	MergeMax
	// MergeEach shows the value of each process that lives, with the label pid.
	MergeEach
	// MergeOnce shows the value of the process that is collected alone, without the
	// label pid: each of them would say the same, or it matters for nobody else.
	// Families of all types may have it.
	MergeOnce
)

// WithMerge says how the family's values merge across processes.
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

// check returns an error unless families of the type may merge like that.
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
