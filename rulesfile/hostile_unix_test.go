//go:build unix

package rulesfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"telltale"
	"telltale/rules"
	"telltale/rulesfile"
)

// Whatever lies at the path is refused by name, soon and as a whole, and a hook that
// panics for it does not end the watching.
func TestWhatLiesAtThePath(t *testing.T) {
	reg := telltale.NewRegistry()
	if _, err := telltale.NewGauge("a", "", telltale.In(reg)); err != nil {
		t.Fatal(err)
	}
	v, err := rules.New(reg)
	if err != nil {
		t.Fatal(err)
	}
	empty := func() bool {
		page, err := telltale.GenerateLatest(v)
		return err == nil && len(page) == 0
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write(t, at("rules"), "metric_relabel_configs: [{action: drop, source_labels: [__name__], regex: a}]")
	write(t, at("bytes"), "metric_relabel_configs: [{action: drop, regex: \"\xff\"}]")
	write(t, at("zero"), "metric_relabel_configs: [{action: drop, regex: \"a\x00\"}]")
	write(t, at("deep"), "metric_relabel_configs: "+strings.Repeat("[", 100_000))
	write(t, at("sparse"), "")
	must(os.Truncate(at("sparse"), 1<<30))
	must(syscall.Mkfifo(at("pipe"), 0o600))
	must(os.Symlink("pipe", at("link to a pipe")))
	must(os.Symlink("loop", at("loop")))
	must(os.Symlink("gone", at("dangling")))
	for _, name := range []string{"bytes", "zero", "deep", "sparse", "pipe", "link to a pipe", "loop", "dangling", ".", "rules/x", "a\x00b", strings.Repeat("x", 5000)} {
		list, err := rulesfile.Read(at(name))
		var of *rulesfile.Error
		if list != nil || !errors.As(err, &of) || of.Path != at(name) {
			t.Errorf("%.20q: rules %v, error %v", name, list, err)
		}
	}
	must(os.Symlink("rules", at("link")))
	told := make(chan error, 100)
	must(rulesfile.Watch(t.Context(), v, at("link"), func(err error) {
		told <- err
		panic("the hook")
	}))
	if !empty() {
		t.Error("rules through a link are not in force")
	}
	for _, name := range []string{"pipe", "loop", "bytes"} {
		must(os.Symlink(name, at("next")))
		must(os.Rename(at("next"), at("link")))
		if err := <-told; !strings.Contains(err.Error(), at("link")) || !empty() {
			t.Errorf("%s: %v", name, err)
		}
	}
	write(t, at("rules"), "metric_relabel_configs: []")
	must(os.Symlink("rules", at("next")))
	must(os.Rename(at("next"), at("link")))
	eventually(t, "no rules", func() bool { return !empty() })
}
