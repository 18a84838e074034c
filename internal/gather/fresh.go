package gather

import "context"

// freshKey is the context key of DemandFresh.
type freshKey struct{}

// DemandFresh returns a context whose scrape shares no run that has begun before, and so
// has all that was counted up to now: the last scrape of a program that sends its
// metrics.
func DemandFresh(ctx context.Context) context.Context {
	return context.WithValue(ctx, freshKey{}, true)
}

func freshDemanded(ctx context.Context) bool {
	demanded, _ := ctx.Value(freshKey{}).(bool)
	return demanded
}
