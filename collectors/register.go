package collectors

import (
	"errors"
	"fmt"
	"slices"

	"telltale"
)

// Register adds the standard set to reg: [NewGo], [NewProcess], [NewBuildInfo]
// and [NewPlatformInfo], without options. It adds all or nothing: if reg refuses
// one, for example because it has a family of that name, those added before are
// removed again, and the registry's error is returned, wrapped. To choose or
// configure collectors, register them one by one. Register may be called while
// reg is in use.
func Register(reg *telltale.Registry) error {
	if reg == nil {
		return errors.New("collectors: Register: the registry is nil")
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
