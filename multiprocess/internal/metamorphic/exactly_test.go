//go:build unix

package metamorphic

import (
	"maps"
	"math/big"
	"slices"
)

// exactly returns the sum of numbers, rounded once.
func exactly(terms []float64) float64 {
	sum := new(big.Float).SetPrec(2400)
	for _, v := range terms {
		sum.Add(sum, big.NewFloat(v))
	}
	rounded, _ := sum.Float64()
	return rounded
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
