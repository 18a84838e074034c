package multiprocess_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"telltale"
	"telltale/multiprocess"
)

// A counter of three labels whose text has some 55 bytes takes at most 160 bytes of the
// disk, in whole blocks, with what the segment has beside it.
func TestBytesOfACounterOnDisk(t *testing.T) {
	const counters, most = 10_000, 160
	s, err := multiprocess.Open(t.TempDir(), multiprocess.WithoutFolding())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // the test reads what is there
	reg := telltale.NewRegistry(telltale.WithStore(s))
	vec := telltale.Must(telltale.NewCounterVec("requests", "", []string{"method", "handler", "status"}, telltale.In(reg)))
	for i := range counters {
		vec.With("GET", fmt.Sprintf("/api/v1/resource/%05d", i), "200").Inc()
	}
	info, err := os.Stat(s.String())
	if err != nil {
		t.Fatal(err)
	}
	if each := info.Sys().(*syscall.Stat_t).Blocks * 512 / counters; each > most || each < 55 {
		t.Errorf("a counter takes %d bytes, at most %d", each, most)
	}
	if spilled := s.Stats().Spilled; spilled > 0 {
		t.Errorf("%d series are not there", spilled)
	}
}
