package segsource

import (
	"encoding/binary"
	"math"

	"telltale/model"
	"telltale/multiprocess/internal/catalog"
	"telltale/multiprocess/internal/segment"
)

// counterModes are the modes by which counters merge that are not added up.
var counterModes = map[model.Merge]catalog.Mode{model.MergeMax: "max", model.MergeEach: "liveall"}

// claimOf returns the claim of a segment's family.
func claimOf(c *catalog.Catalog, f *segment.Family) *catalog.Claim {
	key := catalog.ClaimKey{Name: f.Name, Help: f.Help, Unit: f.Unit, Type: f.Type, Rows: true}
	switch f.Type {
	case model.Counter:
		key.Mode = counterModes[f.Merge]
	case model.Gauge:
		key.Mode = catalog.Modes[f.Mode]
	case model.Unknown: // a live writer's, whatever the mode
		key.Mode = catalog.Modes[catalog.LiveModes+int(f.Mode)%catalog.LiveModes]
	case model.Info:
		key.Mode = "liveall"
	case model.GaugeHistogram:
		key.Mode = "livesum"
	case model.StateSet:
		key.Mode = "livemostrecent"
	}
	var shape []byte
	for _, upper := range f.Bounds {
		shape = binary.NativeEndian.AppendUint64(shape, math.Float64bits(upper))
	}
	for _, state := range f.States {
		shape = append(binary.AppendUvarint(shape, uint64(len(state))), state...)
	}
	native := catalog.NativeContents{Buckets: f.NativeBuckets, Exemplars: f.NativeExemplars}
	shape = binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(shape, native.Buckets), native.Exemplars)
	key.Shape = string(shape)
	return c.Claim(key, catalog.Contents{Bounds: f.Bounds, States: f.States, Native: native})
}
