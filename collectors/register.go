package collectors

import (
	"errors"
	"fmt"
	"slices"

	"telltale"
)

// Register adds the standard set to reg: [NewGo], [NewProcess], [NewBuildInfo]
// and [NewPlatformInfo], without options. It adds all or nothing: if reg
// refuses one, say because a family of that name is there already, those added
// before it are taken out again, and the registry's error is returned (found by
// errors.As). To choose or set up collectors, register them one by one. It may
// be called while reg is in use.
func Register(reg *telltale.Registry) error {
	if reg == nil {
		return errors.New("collectors: Register needs a registry, not nil")
	}
	standard := []telltale.Collector{NewGo(), NewProcess(), NewBuildInfo(), NewPlatformInfo()}
	for i, c := range standard {
		err := reg.Register(c)
		if err == nil {
			continue
		}
		for _, added := range slices.Backward(standard[:i]) {
			err = errors.Join(err, reg.Unregister(added))
		}
		return fmt.Errorf("collectors: the standard set is not registered: %w", err)
	}
	return nil
}
