package telltale

// Functions as collectors.

import (
	"context"
	"reflect"
	"runtime"

	"telltale/model"
)

// CollectorFunc returns a collector that calls f. Families that describe what f
// will emit may be given; without any it claims no names, unless its registry
// asks f at registration (see [WithAutoDescribe]).
func CollectorFunc(f func(ctx context.Context, emit func(*model.Family) error) error, describes ...*model.Family) Collector {
	if len(describes) == 0 {
		return &collectorFunc{f}
	}
	return &describedFunc{collectorFunc{f}, describes}
}

type collectorFunc struct {
	f func(ctx context.Context, emit func(*model.Family) error) error
}

func (c *collectorFunc) Collect(ctx context.Context, emit func(*model.Family) error) error {
	return c.f(ctx, emit)
}

// funcName returns the function's name, by which faults tell such collectors
// apart.
func (c *collectorFunc) funcName() string {
	if f := runtime.FuncForPC(reflect.ValueOf(c.f).Pointer()); f != nil {
		return f.Name()
	}
	return "CollectorFunc"
}

type describedFunc struct {
	collectorFunc
	families []*model.Family
}

func (c *describedFunc) Describe() []*model.Family { return c.families }
