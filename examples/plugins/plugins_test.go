//go:build unix

package main

import (
	"strconv"
	"strings"
	"testing"

	"telltale/examples/internal/program"
)

// TestPageHasWhatPluginsCount runs two plugins, one of which crashes.
func TestPageHasWhatPluginsCount(t *testing.T) {
	address := program.FreeAddress(t)
	plugin := program.Build(t, "resize")
	p := program.Start(t, program.Build(t, "."), "-listen", address, plugin, plugin)
	victim, err := strconv.Atoi(strings.TrimSuffix(p.Says("pid="), ","))
	if err != nil {
		t.Fatal(err)
	}
	p.Says("pid=")
	url := "http://" + address + "/metrics"
	watch := program.Watch(t, url, "resized_images_total", "resized_image_bytes_count", "plugin_starts_total")
	resized := func(n float64) func(program.Page) bool {
		return func(p program.Page) bool { return p.Total("resized_images_total", `format="png"`) >= n }
	}
	before := program.Await(t, url, resized(50))
	program.Kill(t, victim)
	p.Says("is started again")
	p.Says("pid=")
	after := program.Await(t, url, resized(before.Total("resized_images_total", "")+50))
	if n := after.Total("plugin_starts_total", ""); n != 3 {
		t.Errorf("3 plugins were started, the page says %v", n)
	}
	after.Check(t)
	// Values on a page are not all of one moment.
	if images, bytes := after.Total("resized_images_total", ""), after.Total("resized_image_bytes_sum", ""); bytes < 500*images || bytes > 1500*images {
		t.Errorf("%v images of 1000 bytes have %v bytes", images, bytes)
	}
	if failed := watch.Stop(); len(failed) > 0 {
		t.Errorf("the page could not be read: %v", failed)
	}
}
