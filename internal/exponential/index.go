package exponential

import (
	"math"
	"math/bits"
)

// The schemas of Prometheus.
const (
	MinSchema = -4
	MaxSchema = 8
)

// DefaultZeroThreshold is the zero threshold that the specification recommends.
const DefaultZeroThreshold = 0x1p-128

// SchemaFor returns the coarsest schema whose buckets grow by at most the
// factor, or [MaxSchema] if none does.
func SchemaFor(factor float64) int {
	schema := MinSchema
	for schema < MaxSchema && !(growth(schema) <= factor) {
		schema++
	}
	return schema
}

// SchemaWithin returns the coarsest schema whose [RelativeError] is at most the
// given one, or [MaxSchema] if none's is.
func SchemaWithin(relativeError float64) int {
	schema := MinSchema
	for schema < MaxSchema && !(RelativeError(schema) <= relativeError) {
		schema++
	}
	return schema
}

// RelativeError returns the largest difference, as a fraction of the
// observation, between a quantile read from buckets of the schema and the
// observation of that rank. For observations below the smallest normal float64,
// rounding may add to it.
func RelativeError(schema int) float64 { return (growth(schema) - 1) / (growth(schema) + 1) }

// growth returns the factor between the bounds of a bucket.
func growth(schema int) float64 { return math.Exp2(math.Ldexp(1, -schema)) }

const (
	mantissaBits = 52
	mantissaMask = 1<<mantissaBits - 1
	bias         = 1023

	signBit        = 1 << 63
	smallestNormal = 1 << mantissaBits
	infinity       = 0x7ff << mantissaBits

	octaveBits = 8 // bits of an index under the finest schema that number the buckets of an octave
	perOctave  = 1 << octaveBits
	cellBits   = 9
	belowBits  = 64 - mantissaBits
)

// cells has, for each of 512 equal cells of the mantissas, the number of bounds
// below the cell in the lower bits, and the next bound in the bits above. Bounds
// are further apart than cells are wide, so at most that bound lies in the cell.
var cells = func() (cells [1 << cellBits]uint64) {
	k := 0
	for cell := range cells {
		for k < perOctave && bounds[k] < uint64(cell)<<(mantissaBits-cellBits) {
			k++
		}
		cells[cell] = bounds[k]<<belowBits | uint64(k)
	}
	return cells
}()

// finest returns the index of |v| under the finest schema, for v other than NaN
// and zero.
func finest(v float64) int {
	b := math.Float64bits(v) &^ signBit
	if b-smallestNormal >= infinity-smallestNormal {
		return finestUnusual(b)
	}
	return finestNormal(b)
}

// finestNormal is finest for the bits of a normal number. It has no branch for
// the bound in the mantissa's cell, since that could not be predicted.
func finestNormal(b uint64) int {
	mantissa := b & mantissaMask
	cell := cells[mantissa>>(mantissaBits-cellBits)]
	k := cell&(1<<belowBits-1) + (cell>>belowBits-mantissa)>>63
	return (int(b>>mantissaBits)-bias)<<octaveBits + int(k)
}

// finestUnusual is finest for the bits of an infinity or a subnormal number.
func finestUnusual(b uint64) int {
	if b >= infinity {
		return finestNormal(infinity + 1) // just above the largest number
	}
	shift := bits.LeadingZeros64(b) - (63 - mantissaBits)
	return finestNormal(b<<shift&mantissaMask|smallestNormal) - shift<<octaveBits
}

// coarser returns the index of the bucket that contains the bucket of the given
// index, under a schema lower by the given number.
func coarser(index int, by uint) int { return -(-index >> (by & 63)) }

// indexOf returns the index of |v| under the schema, for v other than NaN and
// zero.
func indexOf(v float64, schema int) int { return coarser(finest(v), uint(MaxSchema-schema)) }

// upperBound returns the largest float64 in the bucket of the index, which is
// its bound rounded down. Valid are the indexes of all buckets of the schema,
// and the one before, for a lower bound.
func upperBound(index, schema int) float64 {
	fine := index << uint(MaxSchema-schema)
	exponent, k := fine>>octaveBits, fine&(perOctave-1)
	switch {
	case exponent > bias && (exponent > bias+1 || k > 0):
		return math.Inf(1)
	case exponent > bias:
		return math.MaxFloat64
	case exponent > -bias:
		return math.Float64frombits(uint64(exponent+bias)<<mantissaBits | bounds[k])
	}
	return math.Float64frombits((1<<mantissaBits | bounds[k]) >> uint(1-bias-exponent))
}
