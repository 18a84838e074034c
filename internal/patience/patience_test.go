package patience_test

import (
	"context"
	"testing"
	"time"

	"telltale/internal/patience"
)

func TestLimitIsCarried(t *testing.T) {
	ctx := t.Context()
	if d, ok := patience.Of(ctx); ok {
		t.Errorf("a context without a limit carries %v", d)
	}
	outer := patience.With(ctx, time.Minute)
	derived, cancel := context.WithTimeout(outer, time.Second)
	defer cancel()
	inner := patience.With(derived, time.Hour)
	for _, c := range []struct {
		name string
		ctx  context.Context
		want time.Duration
	}{
		{"itself", outer, time.Minute},
		{"with a deadline", derived, time.Minute},
		{"the innermost of two", inner, time.Hour},
	} {
		if d, ok := patience.Of(c.ctx); !ok || d != c.want {
			t.Errorf("%s: %v, %v; want %v", c.name, d, ok, c.want)
		}
	}
}
