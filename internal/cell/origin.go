package cell

import (
	"os"

	"telltale/model"
)

// Origin marks a collector that shows what the stores of a directory write. The
// collector embeds it for [OriginOf]; the mark is not among its exported
// methods.
type Origin struct{ Directory string }

func (o Origin) origin() Origin { return o }

// OriginOf returns the origin that a collector has embedded, or false if it has
// none.
func OriginOf(c model.Collector) (Origin, bool) {
	from, ok := c.(interface{ origin() Origin })
	if !ok {
		return Origin{}, false
	}
	return from.origin(), true
}

// Same reports whether both name one directory, by whatever path.
func (o Origin) Same(other Origin) bool {
	mine, err := os.Stat(o.Directory)
	theirs, failed := os.Stat(other.Directory)
	return err == nil && failed == nil && os.SameFile(mine, theirs)
}
