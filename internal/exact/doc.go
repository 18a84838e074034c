// Package exact adds float64s without losing a bit: a sum is rounded once, when it
// is asked for. So what it gives depends on what was added alone, not on the order,
// and not on what was added up elsewhere before, as long as that was handed on in
// full ([Sums.Pieces]).
package exact
