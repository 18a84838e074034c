package hash_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/internal/hash"
)

// Short strings that are alike, and long ones that differ in one place, have
// different hashes; equal ones the same.
func TestString(t *testing.T) {
	var inputs []string
	for i := range 2000 {
		inputs = append(inputs, fmt.Sprint(i))
	}
	for n := range 70 {
		inputs = append(inputs, strings.Repeat("x", n+1), strings.Repeat("\x00", n))
		for at := range n {
			inputs = append(inputs, strings.Repeat("x", at)+"y"+strings.Repeat("x", n-at))
		}
	}
	of := make(map[uint64]string)
	for _, s := range inputs {
		h := hash.String(hash.Keys[0], s)
		if other, taken := of[h]; taken && other != s {
			t.Errorf("%q and %q have the same hash", s, other)
		}
		if of[h] = s; h != hash.String(hash.Keys[0], strings.Clone(s)) {
			t.Errorf("%q has two hashes", s)
		}
		if h == hash.String(hash.Keys[1], s) {
			t.Errorf("%q has the same hash behind something else", s)
		}
	}
}
