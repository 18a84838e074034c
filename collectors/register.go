package collectors

import (
	"errors"
	"fmt"
	"slices"

	"telltale"
)

// Register adds the standard set to reg: [NewGo], [NewProcess], [NewBuildInfo] and
// [NewPlatformInfo], without options, and the registry's own health
// ([telltale.Registry.Health]), unless reg has it. It adds all or nothing: if reg
// refuses one, for example because it has a family of that name, those added before
// are removed again, and the registry's error is returned, wrapped. To choose or
// configure collectors, register them one by one. Register may be called while reg
// is in use.
func Register(reg *telltale.Registry) error {
	if reg == nil {
		return errors.New("collectors: Register: the registry is nil")
	}
	health := reg.Health()
	var added []telltale.Collector
	for _, c := range []telltale.Collector{NewGo(), NewProcess(), NewBuildInfo(), NewPlatformInfo(), health} {
		err := reg.Register(c)
		switch {
		case err == nil:
			added = append(added, c)
			continue
		case c == health && holds(err, health):
			continue
		}
		for _, c := range slices.Backward(added) {
			err = errors.Join(err, reg.Unregister(c))
		}
		return fmt.Errorf("collectors: the standard set is not registered: %w", err)
	}
	return nil
}

// holds reports whether an error of Register says that a registry has the collector
// already.
func holds(err error, c telltale.Collector) bool {
	var duplicate *telltale.DuplicateError
	return errors.As(err, &duplicate) && slices.ContainsFunc(duplicate.Clashes, func(held telltale.Clash) bool { return held.Holder == c })
}
