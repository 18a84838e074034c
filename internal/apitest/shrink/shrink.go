// Package shrink makes scripts that fail shorter. Tests import it, nothing else.
package shrink

import "slices"

// Fewer returns a shorter list that still fails: it leaves elements out as long as the rest
// fails, first many at once. The given list is not changed.
func Fewer[T any](list []T, fails func([]T) bool) []T {
	for size := max(len(list)/2, 1); size > 0; size /= 2 {
		for from := 0; from < len(list); {
			rest := slices.Delete(slices.Clone(list), from, min(from+size, len(list)))
			if fails(rest) {
				list = rest
			} else {
				from += size
			}
		}
	}
	return list
}

// With returns the list with another element in one place. The list is not changed.
func With[T any](list []T, i int, element T) []T {
	changed := slices.Clone(list)
	changed[i] = element
	return changed
}
