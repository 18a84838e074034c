package docs_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/push"
)

// Prometheus accepts the alerts, and they fire when their tests say.
func TestAlerts(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, args := range [][]string{{"check", "rules", "telltale.rules.yml"}, {"test", "rules", "telltale.rules_test.yml"}} {
		cmd := exec.CommandContext(t.Context(), "promtool", args...)
		cmd.Dir = "alerts"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

var (
	alertName = regexp.MustCompile(`alert: (\w+)`)
	selector  = regexp.MustCompile(`\b(telltale_[a-z_]+)(\{|\[| )`)
)

// The alerts select families that telltale exports, the page describes all of them,
// and each has a test.
func TestAlertsSelectWhatThereIs(t *testing.T) {
	rules, tests, page := read(t, "alerts/telltale.rules.yml"), read(t, "alerts/telltale.rules_test.yml"), read(t, "alerts.md")
	store, err := multiprocess.Open(t.TempDir())
	if err != nil {
		t.Skip(err) // a system without shared directories
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	gateway, err := push.NewGateway("gateway:9091", "shop")
	if err != nil {
		t.Fatal(err)
	}
	exported := map[string]bool{}
	for _, c := range []telltale.Collector{telltale.NewRegistry().Health(), store.Health(), push.Health(gateway)} {
		err := c.Collect(t.Context(), func(f *model.Family) error {
			exported[f.Name], exported[f.Name+"_total"] = f.Type != model.Counter, f.Type == model.Counter
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// Modules of their own: their names are read from the source that they share.
	for _, m := range regexp.MustCompile(`w\.Prefix\+"(\w+)"(\+w\.Samples)?`).FindAllStringSubmatch(read(t, "../internal/outbox/health.go"), -1) {
		name := "telltale_remote_write_" + m[1]
		if m[2] != "" {
			name += "samples"
		}
		exported[name], exported[name+"_total"] = true, true
	}
	exported["telltale_remote_write_samples_total"] = true
	for _, m := range selector.FindAllStringSubmatch(rules, -1) {
		if !exported[m[1]] {
			t.Errorf("the rules select %s, which telltale does not export", m[1])
		}
	}
	for _, m := range alertName.FindAllStringSubmatch(rules, -1) {
		if !regexp.MustCompile(`alertname: ` + m[1] + `\b`).MatchString(tests) {
			t.Errorf("no test of %s", m[1])
		}
		if !regexp.MustCompile("`" + m[1] + "`").MatchString(page) {
			t.Errorf("alerts.md does not tell of %s", m[1])
		}
	}
}
