package rulesfile_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"telltale"
	"telltale/rules"
	"telltale/rulesfile"
)

func TestParse(t *testing.T) {
	list, err := rulesfile.Parse([]byte(`
# As operators write them.
metric_relabel_configs:
  - source_labels: [__name__]
    regex: go_gc_.*
    action: drop
  - regex: pod_.*
    action: LabelDrop
  - {source_labels: [__name__, code], separator: "|", regex: 'x\|5..', action: keep}
  - {source_labels: [a], target_label: b}
  - {source_labels: [a], target_label: b, regex: 5, replacement: ""}
  - {action: labelmap, regex: "k8s_(.*)"}
  - {action: rename, regex: a, replacement: b, keep_old: true}
  # As Prometheus shows its configuration.
  - separator: ;
    regex: id
    replacement: $1
    action: labeldrop
  - source_labels: [x]
    separator: ;
    regex: (.*)
    replacement: $1
    action: keep
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []rules.Rule{
		rules.Drop("go_gc_.*"),
		rules.LabelDrop("pod_.*"),
		{Action: rules.ActionKeep, SourceLabels: []string{"__name__", "code"}, Separator: "|", Regex: `x\|5..`},
		rules.Replace("b", "$1", "(.*)", "a"),
		rules.Replace("b", "", "5", "a"),
		rules.LabelMap("k8s_(.*)", "$1"),
		rules.Rename("a", "b").KeepingOld(),
		rules.LabelDrop("id"),
		rules.Keep("(.*)", "x"),
	}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("rules\n%+v\nwant\n%+v", list, want)
	}
	if list, err := rulesfile.Parse([]byte("metric_relabel_configs: []")); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
}

func TestParseErrors(t *testing.T) {
	rule := func(text string) string { return "metric_relabel_configs:\n  - " + text + "\n" }
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "there is no metric_relabel_configs"},
		{"a comment", "# x", "there is no metric_relabel_configs"},
		{"no mapping", "- a", "line 1: want metric_relabel_configs"},
		{"other key", "relabel_configs: []", `line 1: "relabel_configs" is not expected`},
		{"second key", "metric_relabel_configs: []\nx: 1", `line 2: "x" is not expected`},
		{"twice", "metric_relabel_configs: []\nmetric_relabel_configs: []", "line 2"},
		{"no list", "metric_relabel_configs: {}", "line 1: metric_relabel_configs is not a list"},
		{"null", "metric_relabel_configs:", "line 1: metric_relabel_configs is not a list"},
		{"two documents", "metric_relabel_configs: []\n---\nmetric_relabel_configs: []", "more than one"},
		{"no YAML", "metric_relabel_configs: [", "line 1"},
		{"field", rule("{action: drop, modulus: 3}"), `line 2: a rule has no field "modulus"`},
		{"action", rule("{action: hashmod, target_label: x}"), `line 2: rule 1: the action "hashmod" is not known`},
		{"regex", rule("{action: drop, regex: '('}"), "line 2: rule 1: the regex"},
		{"string", rule("drop"), "line 2: a rule is a mapping"},
		{"label as text", rule("{source_labels: a, action: drop}"), "line 2: cannot unmarshal"},
		{"field twice", rule("{action: drop, action: keep}"), `mapping key "action" already defined at line 2`},
		{"name", rule("{source_labels: [a], target_label: __name__}"), "line 2: rule 1: replace cannot write __name__"},
		{"alias", "metric_relabel_configs:\n  - {source_labels: &a [x], action: drop}\n  - {source_labels: *a, action: drop}\n", "line 3: aliases are not read"},
		{"many", "metric_relabel_configs:\n" + strings.Repeat("  - {action: drop}\n", rules.MaxRules+1), "line 1002: 1001 rules, more than 1000"},
		{"large", strings.Repeat("#", rulesfile.MaxSize+1), "more than 1048576"},
	} {
		t.Run(test.name, func(t *testing.T) {
			list, err := rulesfile.Parse([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("rules %v, error %v, want one line with %q", list, err, test.want)
			}
		})
	}
}

const patience = 2 * time.Minute

// eventually waits until a condition holds, which is certain to come.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not happen", what)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWatch(t *testing.T) {
	reg := telltale.NewRegistry()
	for _, name := range []string{"a", "b"} {
		if _, err := telltale.NewGauge(name, "", telltale.In(reg)); err != nil {
			t.Fatal(err)
		}
	}
	v, err := rules.New(reg)
	if err != nil {
		t.Fatal(err)
	}
	shows := func(names string) func() bool {
		return func() bool {
			page, err := telltale.GenerateLatest(v)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, name := range []string{"a", "b", "c"} {
				if strings.Contains(string(page), "\n"+name+" ") {
					got += name
				}
			}
			return got == names
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "rules.yml")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := rulesfile.Watch(ctx, v, path, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a file that is not there: %v", err)
	}
	write(t, path, "metric_relabel_configs: [{action: drop, source_labels: [__name__], regex: a}]")
	told := make(chan error, 100)
	if err := rulesfile.Watch(ctx, v, path, func(err error) { told <- err }); err != nil {
		t.Fatal(err)
	}
	if !shows("b")() {
		t.Error("the first rules are not in force when Watch returns")
	}
	write(t, path, "metric_relabel_configs: [{action: rename, regex: a, replacement: c}]")
	eventually(t, "the second rules", shows("bc"))
	write(t, path, "metric_relabel_configs: [{action: drop}, {action: drap}]")
	if err := <-told; !strings.Contains(err.Error(), path+": line 1: rule 2: the action \"drap\"") || !shows("bc")() {
		t.Errorf("after a wrong file: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := <-told; !strings.Contains(err.Error(), path) || !shows("bc")() {
		t.Errorf("after the file has gone: %v", err)
	}
	// A file that takes the place of another, as editors and Kubernetes do it.
	other := filepath.Join(dir, "other.yml")
	write(t, other, "metric_relabel_configs: []")
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no rules", shows("ab"))
	if len(told) > 0 {
		t.Error(<-told)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"metric_relabel_configs:\n  - {action: drop, source_labels: [__name__], regex: a}\n", "metric_relabel_configs: []", "a: &a [*a]", "metric_relabel_configs: [{action: rename, regex: (.*), replacement: $1_x, keep_old: true}]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := rulesfile.Parse([]byte(text))
		if err != nil {
			if list != nil {
				t.Error("rules beside an error")
			}
			return
		}
		if err := rules.Check(list...); err != nil {
			t.Error(err)
		}
	})
}
