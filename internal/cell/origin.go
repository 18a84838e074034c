package cell

import (
	"os"

	"telltale/model"
)

// Origin says that a collector shows what the stores of a directory write. A
// collector says so by embedding it, for [OriginOf] alone: its method is not on the
// collector's public face.
type Origin struct{ Directory string }

func (o Origin) origin() Origin { return o }

// OriginOf returns the origin that a collector has embedded, and false for
// collectors of anything else.
func OriginOf(c model.Collector) (Origin, bool) {
	from, ok := c.(interface{ origin() Origin })
	if !ok {
		return Origin{}, false
	}
	return from.origin(), true
}

// Same reports whether both are of one directory, by whatever path.
func (o Origin) Same(other Origin) bool {
	mine, err := os.Stat(o.Directory)
	theirs, failed := os.Stat(other.Directory)
	return err == nil && failed == nil && os.SameFile(mine, theirs)
}
