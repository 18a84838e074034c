//go:build unix

package multiprocess_test

import (
	"testing"
	"time"

	"telltale"
	"telltale/multiprocess"
)

// The order in which labels are declared does not matter: what a process has left of a
// series goes on while another one updates it.
func TestIdleSeriesOfLabelsInAnyOrder(t *testing.T) {
	t.Parallel()
	dir := sharedDir(t)
	store := openStore(t, dir, multiprocess.WithoutFolding(), multiprocess.WithPublishInterval(time.Second))
	busy, quiet := expiring(t, dir, "busy"), telltale.NewRegistry(telltale.WithStore(store))
	vec := func(reg *telltale.Registry) *telltale.CounterVec {
		return telltale.Must(telltale.NewCounterVec("c", "", []string{"z", "a"}, telltale.In(reg), telltale.WithIdleExpiry(idle)))
	}
	vec(busy).With("1", "2").Inc()
	if err := vec(busy).Init([]string{"1", "2"}); err != nil {
		t.Fatal(err)
	}
	vec(quiet).With("1", "2").Add(5)
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if v, _ := quiet.SampleValue("c_total", map[string]string{"z": "1", "a": "2"}); v != 6 {
			t.Fatalf("it is %v", v)
		}
	}
	// What is left of a process that ended goes on, too, in its segment and in the archive.
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for end := time.Now().Add(3 * idle); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if v, _ := busy.SampleValue("c_total", map[string]string{"z": "1", "a": "2"}); v != 6 {
				t.Fatalf("it is %v after the end", v)
			}
		}
		mustFold(t, dir)
	}
}
