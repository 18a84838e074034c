package live_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"telltale"
	"telltale/live"
)

// Each type has what the page draws.
func TestTypes(t *testing.T) {
	reg := telltale.NewRegistry()
	in := telltale.In(reg)
	telltale.Must(telltale.NewHistogram("h", "", in, telltale.WithBuckets(1, 2))).Observe(1.5)
	n := telltale.Must(telltale.NewHistogram("n", "", in, telltale.WithNativeSchema(0)))
	n.Observe(3)
	n.Observe(-3)
	n.Observe(0)
	telltale.Must(telltale.NewSummary("s", "", in, telltale.WithQuantiles(0.5))).Observe(4)
	if err := telltale.Must(telltale.NewEnum("e", "", []string{"a", "b"}, in)).Set("b"); err != nil {
		t.Fatal(err)
	}
	if err := telltale.Must(telltale.NewInfo("i", "", in)).Set(map[string]string{"version": "1"}); err != nil {
		t.Fatal(err)
	}
	if err := telltale.Must(telltale.NewCounter("c", "", in)).AddWithExemplar(2, map[string]string{"trace_id": "x"}); err != nil {
		t.Fatal(err)
	}

	d := read(t, live.Handler(reg), "", "h", "n", "s", "e", "i", "c")
	got := map[string]string{}
	for _, p := range d.Points {
		for _, point := range p.Points {
			delete(point, "c")
			if n, ok := point["native"].(map[string]any); ok {
				delete(n, "threshold")
			}
			if x, ok := point["x"].([]any); ok {
				point["x"] = x[0].([]any)[:2] // without its time
			}
		}
		text, err := json.Marshal(p.Points)
		if err != nil {
			t.Fatal(err)
		}
		got[d.Index[p.Family].Name] = string(text)
	}
	for name, want := range map[string]string{
		"h": `[{"b":[0,1,1],"l":[],"le":[1,2,"+Inf"],"n":1,"s":1.5}]`,
		"n": `[{"l":[],"n":3,"native":{"bounds":[],"n":[1],"ns":[2,1],"p":[1],"ps":[2,1],"schema":0,"zero":1},"s":0}]`,
		"e": `[{"l":[],"st":[["a",false],["b",true]]}]`,
		"i": `[{"i":["version","1"],"l":[]}]`,
		"c": `[{"l":[],"v":2,"x":[["trace_id","x"],2]}]`,
	} {
		if got[name] != want {
			t.Errorf("%s: %s, want %s", name, got[name], want)
		}
	}
	if !strings.HasPrefix(got["s"], `[{"l":[],"n":1,"q":[[0.5,`) {
		t.Errorf("s: %s", got["s"])
	}
}

// hostile are texts that would be something else than text, if they were not
// handled as text.
var hostile = []string{
	`<script>alert(1)</script>`, `</script><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `"><svg onload=alert(1)>`,
	`javascript:alert(1)`, `{{7*7}}`, "${alert(1)}", `__proto__`, `constructor`, `"`, `\`, `\u0000`, "\x00", "\x1b[31m", "a\nb", "\u2028\u2029",
	"\u202egnp.exe", "\xff\xfe", "", strings.Repeat("x", 100_000), `","v":1}]`, `]}`,
}

// Names, help texts and values are in the answer as they are.
func TestHostileTexts(t *testing.T) {
	reg := telltale.NewRegistry()
	var names []string
	for i, text := range hostile {
		name := fmt.Sprint(text, i)
		if len(name) > 1000 {
			name = fmt.Sprint("long", i)
		}
		g, err := telltale.NewGaugeVec(name, text, []string{"label"}, telltale.In(reg))
		if err != nil {
			name = fmt.Sprint("name", i) // one that no family can have
			g = telltale.Must(telltale.NewGaugeVec(name, text, []string{"label"}, telltale.In(reg)))
		}
		names = append(names, name)
		g.With(text).Set(float64(i))
	}
	d := read(t, live.Handler(reg), "", names...)
	if len(d.Points) != len(hostile) {
		t.Fatalf("points of %d families", len(d.Points))
	}
	for i, text := range hostile {
		valid := strings.ToValidUTF8(text, "\ufffd")
		f := d.Index[i]
		if f.Name != names[i] || strings.ReplaceAll(f.Help, "\ufffd\ufffd", "\ufffd") != valid {
			t.Errorf("%.50q: name %.50q, help %.50q", text, f.Name, f.Help)
		}
		labels := d.Points[i].Points[0]["l"].([]any)
		value := strings.ReplaceAll(labels[1].(string), "\ufffd\ufffd", "\ufffd")
		if value != valid && !strings.HasPrefix(valid, "xxx") || d.Points[i].Points[0]["v"] != float64(i) {
			t.Errorf("%.50q: %.50q %v", text, value, d.Points[i].Points[0]["v"])
		}
	}
}

// The values of labels are counted over all series, and the label names of an info are
// known.
func TestLabelValues(t *testing.T) {
	reg := telltale.NewRegistry()
	in := telltale.In(reg)
	c := telltale.Must(telltale.NewCounterVec("c", "", []string{"code", "user"}, in))
	for i := range 30 {
		c.With([]string{"200", "500", "200"}[i%3], fmt.Sprintf("u%02d", i)).Inc()
	}
	if err := telltale.Must(telltale.NewInfo("i", "", in)).Set(map[string]string{"version": "1"}); err != nil {
		t.Fatal(err)
	}
	top := make([]string, 20)
	for i := range top {
		top[i] = fmt.Sprintf(`["u%02d",1]`, i)
	}
	all := strings.Join(top, ",")
	for _, test := range []struct {
		name string
		opts []live.Option
		want string
	}{
		{"all", nil, `[{"family":0,"labels":[{"name":"code","values":2,"beyond":0,"top":[["200",20],["500",10]]},{"name":"user","values":30,"beyond":0,"top":[` + all + `]}]},` +
			`{"family":1,"labels":[{"name":"version","values":1,"beyond":0,"top":[["1",1]]}]}]`},
		{"few values", []live.Option{live.WithMaxValues(1)}, `[{"family":0,"labels":[{"name":"code","values":1,"beyond":10,"top":[["200",20]]},{"name":"user","values":1,"beyond":29,"top":[["u00",1]]}]},` +
			`{"family":1,"labels":[{"name":"version","values":1,"beyond":0,"top":[["1",1]]}]}]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := do(t, live.Handler(reg, test.opts...), "GET", "/live/data?labels=c&labels=i&labels=none")
			var got struct {
				Index       []struct{ Labels []string }
				LabelValues json.RawMessage `json:"label_values"`
				Points      []any
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if string(got.LabelValues) != test.want || len(got.Points) != 0 || fmt.Sprint(got.Index[1].Labels) != "[version]" {
				t.Errorf("label names %v, %d families with points, values\n%s, want\n%s", got.Index, len(got.Points), got.LabelValues, test.want)
			}
		})
	}
}
