// Package patience carries through a context how long a collection may take by its server's own limit, whatever deadline a client asked for.
package patience

import (
	"context"
	"time"
)

// key is the context key of the limit.
type key struct{}

// With returns a context under which a collection may take d by its server's own
// limit.
func With(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, key{}, d)
}

// Of returns the limit that a context carries, and whether it carries one.
func Of(ctx context.Context) (time.Duration, bool) {
	d, ok := ctx.Value(key{}).(time.Duration)
	return d, ok
}
