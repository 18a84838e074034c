package multiprocess_test

import (
	"context"
	"testing"
	"time"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/spool"
)

// A store says that its process lives also while a custom collector takes long to be
// published: otherwise what others remove meanwhile would cover what the process counts
// later, once it has ended.
func TestStoreLivesBesideASlowCollector(t *testing.T) {
	t.Parallel()
	if spool.Monotonic() == 0 {
		t.Skip("NOT TESTED: the system has no clock that nobody can set")
	}
	store := openStore(t, sharedDir(t), multiprocess.WithoutFolding(), multiprocess.WithPublishInterval(time.Hour))
	reg := telltale.NewRegistry(telltale.WithStore(store))
	begun := make(chan struct{})
	if err := reg.Register(telltale.CollectorFunc(func(ctx context.Context, _ func(*model.Family) error) error {
		select {
		case <-begun:
		default:
			close(begun)
			<-ctx.Done() // which is when the store is closed
		}
		return nil
	})); err != nil {
		t.Fatal(err)
	}
	<-begun
	before := aliveOf(t, store)
	soon(t, "the store says that its process lives", func() bool { return aliveOf(t, store) > before })
}
