package gather

import "context"

// wholeKey is the context key of DemandWhole.
type wholeKey struct{}

// DemandWhole returns a context whose scrape wants a whole page or none: it fails if
// anything is left out.
func DemandWhole(ctx context.Context) context.Context {
	return context.WithValue(ctx, wholeKey{}, true)
}

// WholeDemanded reports whether the scrape of a context wants a whole page or none.
// It is false within a collector's run, which scrapes of both kinds may share.
func WholeDemanded(ctx context.Context) bool {
	demanded, _ := ctx.Value(wholeKey{}).(bool)
	return demanded
}
