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

// RelativeError returns how far a quantile read from buckets of the schema may
// be from the observation of that rank, as a fraction of the observation.
// Observations below the smallest normal float64 may be a rounding further.
func RelativeError(schema int) float64 { return (growth(schema) - 1) / (growth(schema) + 1) }

// growth returns by which factor bounds grow from bucket to bucket.
func growth(schema int) float64 { return math.Exp2(math.Ldexp(1, -schema)) }

const (
	mantissaBits = 52
	mantissaMask = 1<<mantissaBits - 1
	bias         = 1023

	signBit        = 1 << 63
	smallestNormal = 1 << mantissaBits
	infinity       = 0x7ff << mantissaBits

	octaveBits = 8 // of an index under the finest schema, that tell buckets of an octave apart
	perOctave  = 1 << octaveBits
	cellBits   = 9
	belowBits  = 64 - mantissaBits
)

// cells has for each of 512 equal cells of the mantissas how many bounds lie
// below it, in the lower bits, and the next bound above those bits. Bounds are
// further apart than cells are wide, so none but that can lie in the cell.
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

// finestNormal is finest for the bits of a normal number. A branch for the
// bound in the mantissa's cell could not be foreseen.
func finestNormal(b uint64) int {
	mantissa := b & mantissaMask
	cell := cells[mantissa>>(mantissaBits-cellBits)]
	k := cell&(1<<belowBits-1) + (cell>>belowBits-mantissa)>>63
	return (int(b>>mantissaBits)-bias)<<octaveBits + int(k)
}

// finestUnusual is finest for the bits of an infinity or of a number whose first
// bit is not implied.
func finestUnusual(b uint64) int {
	if b >= infinity {
		return finestNormal(infinity + 1) // just above the largest number
	}
	shift := bits.LeadingZeros64(b) - (63 - mantissaBits)
	return finestNormal(b<<shift&mantissaMask|smallestNormal) - shift<<octaveBits
}

// coarser returns the index, under a schema lower by that many, of the bucket
// that contains the one of the given index.
func coarser(index int, by uint) int { return -(-index >> (by & 63)) }

// indexOf returns the index of |v| under the schema, for v other than NaN and
// zero.
func indexOf(v float64, schema int) int { return coarser(finest(v), uint(MaxSchema-schema)) }

// upperBound returns the largest float64 in the bucket of the index, which is
// its bound rounded down. The indexes of all buckets of the schema are allowed
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
