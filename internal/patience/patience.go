// Package patience carries a server's own limit of a collection's time through a
// context. A client may ask for a shorter deadline of its scrape; whether a
// collector is hung is judged by the server's limit.
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
