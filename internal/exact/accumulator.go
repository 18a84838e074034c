package exact

import (
	"math"
	"math/bits"
)

// A float64 is a whole number of units of 2^-1074, and the largest takes 2098 bits.
// limbs digits of 32 bits hold that, with room for the sum of more than 2^64.
const (
	limbs    = 67
	limbBits = 32
	lowLimb  = 1<<limbBits - 1

	mantissa = 52 // stored bits of a float64
	infinite = 0x7ff
)

// settleAfter is after how many additions limbs are made digits again. Each adds
// less than 2^32 to a limb, which has 63 bits.
const settleAfter = 1 << 20

// accumulator is the exact sum of what was added, in units of 2^-1074: that of each
// limb times 2^(32 i). Limbs may be negative, and larger than a digit.
type accumulator struct {
	limb    [limbs]int64
	added   uint32  // how many values, since limbs were digits
	special float64 // the sum of NaN and infinities, which is not 0 if there were some
}

func (a *accumulator) add(v float64) {
	b := math.Float64bits(v)
	exponent, m := int(b>>mantissa&infinite), b&(1<<mantissa-1)
	switch exponent {
	case infinite:
		a.special += v
		return
	case 0: // subnormal
	default:
		m |= 1 << mantissa
		exponent--
	}
	i, shift := exponent/limbBits, uint(exponent%limbBits)
	low, high := m<<shift, m>>1>>(63-shift)
	first, second, third := int64(low&lowLimb), int64(low>>limbBits), int64(high)
	if b>>63 != 0 {
		first, second, third = -first, -second, -third
	}
	a.limb[i] += first
	a.limb[i+1] += second
	a.limb[i+2] += third
	if a.added++; a.added == settleAfter {
		a.settle()
	}
}

// settle makes all limbs digits, but for the last, which has the sign.
func (a *accumulator) settle() {
	carry := int64(0)
	for i := range limbs - 1 {
		v := a.limb[i] + carry
		a.limb[i], carry = v&lowLimb, v>>limbBits
	}
	a.limb[limbs-1] += carry
	a.added = 0
}

// magnitude makes the sum positive, with digits for limbs, and reports whether it
// was negative.
func (a *accumulator) magnitude() (negative bool) {
	a.settle()
	if negative = a.limb[limbs-1] < 0; negative {
		for i := range a.limb {
			a.limb[i] = -a.limb[i]
		}
		a.settle()
	}
	return negative
}

// value rounds the sum. Afterwards the accumulator may hold its negative.
func (a *accumulator) value() float64 {
	if a.special != 0 {
		return a.special
	}
	negative := a.magnitude()
	v := a.rounded()
	if negative {
		return -v
	}
	return v
}

// rounded returns the nearest float64 of a sum with digits for limbs: +Inf if it is
// too large.
func (a *accumulator) rounded() float64 {
	top := limbs - 1
	for top > 0 && a.limb[top] == 0 {
		top--
	}
	high := top*limbBits + bits.Len64(uint64(a.limb[top])) - 1 // the highest bit; -1 if none
	if high <= mantissa {
		return math.Float64frombits(uint64(a.limb[1])<<limbBits | uint64(a.limb[0])) // subnormal, or barely not
	}
	if high > mantissa+infinite {
		return math.Inf(1)
	}
	last := high - mantissa // the lowest bit that is kept
	i, shift := last/limbBits, uint(last%limbBits)
	m := uint64(a.limb[i])>>shift | uint64(a.limb[i+1])<<limbBits>>shift | uint64(a.limb[i+2])<<(2*limbBits-shift)
	m &= 1<<(mantissa+1) - 1
	// The exponent of a number whose lowest bit is `last` is last + 1, and the bit
	// that float64s do not store adds the 1.
	b := uint64(last)<<mantissa + m
	if a.bit(last-1) && (m&1 != 0 || a.below(last-1)) {
		b++ // which carries into the exponent as it should
	}
	return math.Float64frombits(min(b, infinite<<mantissa))
}

// bit returns a bit of a sum with digits for limbs.
func (a *accumulator) bit(n int) bool { return a.limb[n/limbBits]>>(n%limbBits)&1 != 0 }

// below reports whether any bit below n is set.
func (a *accumulator) below(n int) bool {
	for _, limb := range a.limb[:n/limbBits] {
		if limb != 0 {
			return true
		}
	}
	return a.limb[n/limbBits]&(1<<(n%limbBits)-1) != 0
}

// pieces takes the sum apart, see [Sums.Pieces].
func (a *accumulator) pieces(pieces []float64) []float64 {
	if a.special != 0 {
		return append(pieces, a.special)
	}
	for {
		rest := *a
		v := rest.value()
		if v == 0 {
			return pieces
		}
		v = max(min(v, math.MaxFloat64), -math.MaxFloat64)
		pieces = append(pieces, v)
		a.add(-v)
	}
}
