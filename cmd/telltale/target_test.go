package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTargetsFile(t *testing.T) {
	many := strings.Repeat("x", maxTargetsFile+1)
	for name, test := range map[string]struct {
		content string
		want    []string // URL and labels
		err     string
	}{
		"YAML": {
			content: "- targets: ['127.0.0.1:9100', \"h\"]\n  labels: {pool: a, empty: ''}\n- targets: []\n",
			want:    []string{`http://127.0.0.1:9100/metrics instance="127.0.0.1:9100",pool="a"`, `http://h/metrics instance="h",pool="a"`},
		},
		"JSON": {
			content: `[{"targets": ["127.0.0.1:9100"], "labels": {"__scheme__": "https", "__metrics_path__": "/stats/all", "__param_format": "text", "__meta_x": "y", "instance": "shop"}}]`,
			want:    []string{`https://127.0.0.1:9100/stats/all?format=text instance="shop"`},
		},
		"URLs": {
			content: "- targets: ['https://h/x?y=z', 'http://u:p@h:1/']\n",
			want:    []string{`https://h/x?y=z instance="h:443"`, `http://u:p@h:1/ instance="h:1"`},
		},
		"sockets": {
			content: "- targets: ['unix:/run/a']\n- targets: [b]\n  labels: {__unix_socket__: /run/b}\n",
			want:    []string{`http://2f72756e2f61.socket.invalid/metrics instance="unix:/run/a"`, `http://2f72756e2f62.socket.invalid/metrics instance="b"`},
		},
		"none":            {content: "[]"},
		"empty":           {err: "it is empty"},
		"half":            {content: `[{"targets": ["127.0`, err: "yaml"},
		"no list":         {content: "targets: [a]", err: "cannot unmarshal"},
		"another field":   {content: "- targets: [a]\n  label: {}\n", err: "field label not found"},
		"a path":          {content: "- targets: [a/secret]", err: "group 1: a target should look like"},
		"a scheme":        {content: "- targets: [a]\n  labels: {__scheme__: file}", err: "should be http or https"},
		"a label":         {content: "- targets: [a]\n  labels: {le: '1'}", err: `"le" cannot be the label of a target`},
		"too large":       {content: many, err: "more than 16777216 bytes"},
		"secrets":         {content: "- targets: secret", err: "cannot unmarshal !!str (not shown)"},
		"aliases":         {content: "- &a [*a]", err: ""},
		"a bomb of YAML":  {content: "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n", err: "cannot unmarshal"},
		"several of them": {content: "[]\n---\n[]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := parseTargets([]byte(test.content))
			if name == "aliases" {
				if err == nil {
					t.Errorf("%v", all)
				}
				return
			}
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || strings.Contains(err.Error(), "secret") {
					t.Errorf("%v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, target := range all {
				got = append(got, target.url.String()+" "+target.key)
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// Targets of flags are known by host and port, and those of one port by their path, too.
func TestInstancesOfFlags(t *testing.T) {
	all, err := newTargets([]endpoint{"http://h:1", "http://h:2/a", "http://h:2/b?c=d", "unix:/run/s"})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"h:1", "h:2/a", "h:2/b?c=d", "unix:/run/s"} {
		if got := all[i].name(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTargetList(t *testing.T) {
	file := filepath.Join(t.TempDir(), "targets.yml")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("- targets: [a, b, a]")
	l, err := newTargetList([]endpoint{"http://c"}, file, 3)
	if err != nil || len(l.targets()) != 3 {
		t.Fatalf("%v, %v", err, l.targets())
	}
	for content, want := range map[string]string{
		"- targets: [a, b, d]": "there are 4 targets, and may be 3; --max-targets raises the limit",
		"- targets: [a]\n- targets: [a]\n  labels: {__metrics_path__: /b}": `two targets have the labels {instance="a"}`,
		"nonsense": "cannot unmarshal",
	} {
		write(content)
		if err := l.read(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
		if n := len(l.targets()); n != 3 {
			t.Errorf("%q: %d targets stay", content, n)
		}
	}
}

func FuzzTargets(f *testing.F) {
	f.Add([]byte("- targets: [a, 'unix:/b', 'http://c:1/d?e=f']\n  labels: {__scheme__: https, g: h}\n"))
	f.Add([]byte(`[{"targets": ["a:1"], "labels": {"__param_x": "y"}}]`))
	f.Fuzz(func(t *testing.T, content []byte) {
		all, err := parseTargets(content)
		if err != nil && len(all) > 0 {
			t.Errorf("%d targets beside %v", len(all), err)
		}
		for _, target := range all {
			if target.name() == "" && !strings.Contains(target.key, "instance") {
				t.Errorf("a target without an instance: %s", target.key)
			}
		}
	})
}
