package apitest

import (
	"testing"

	"telltale"
)

func TestEnum(t *testing.T) {
	var w witness
	reg := telltale.NewRegistry(telltale.WithErrorHook(w.hear))
	states := []string{"starting", "running", "stopped"}
	e := telltale.Must(telltale.NewEnum("phase", "", states, telltale.In(reg)))
	states[0] = "changed"
	wantPage(t, reg, "# TYPE phase gauge\nphase{phase=\"starting\"} 1.0\nphase{phase=\"running\"} 0.0\nphase{phase=\"stopped\"} 0.0\n")
	if err := e.Set("stopped"); err != nil {
		t.Error(err)
	}
	if err := e.Set("unheard of"); err == nil {
		t.Error("an unknown state is accepted")
	}
	w.want(t, telltale.ReasonUnknownState)
	if e.Value() != "stopped" {
		t.Errorf("it is %q, want stopped", e.Value())
	}
	wantPage(t, e, "# TYPE phase gauge\nphase{phase=\"starting\"} 0.0\nphase{phase=\"running\"} 0.0\nphase{phase=\"stopped\"} 1.0\n")
}

func TestEnumErrors(t *testing.T) {
	on := []string{"on", "off"}
	for _, tt := range []struct {
		name   string
		enum   string
		states []string
		labels []string
	}{
		{"no states", "e", nil, nil},
		{"state twice", "e", []string{"on", "off", "on"}, nil},
		{"states that are one when mended", "e", []string{"\xfe", "\xff"}, nil},
		{"empty name", "", on, nil},
		{"too many states", "e", make([]string, telltale.MaxStates+1), nil},
		{"its own name as a label", "e", on, []string{"e"}},
		{"reserved label", "e", on, []string{"__e"}},
	} {
		var err error
		if tt.labels == nil {
			_, err = telltale.NewEnum(tt.enum, "", tt.states, telltale.Unregistered())
		} else {
			_, err = telltale.NewEnumVec(tt.enum, "", tt.states, tt.labels, telltale.Unregistered())
		}
		if err == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
	if _, err := telltale.NewEnum("e", "", on, telltale.Unregistered(), telltale.WithConstLabels(map[string]string{"e": "x"})); err == nil {
		t.Error("its own name as a constant label: no error")
	}
}

func TestEnumVec(t *testing.T) {
	v := telltale.Must(telltale.NewEnumVec("door", "", []string{"open", `a"b`}, []string{"room"}, telltale.Unregistered()))
	if err := v.With("1").Set(`a"b`); err != nil {
		t.Error(err)
	}
	wantPage(t, v, "# TYPE door gauge\ndoor{room=\"1\",door=\"open\"} 0.0\ndoor{room=\"1\",door=\"a\\\"b\"} 1.0\n")
}

// At every moment exactly one state is set.
func TestEnumUnderContention(t *testing.T) {
	states := []string{"a", "b", "c"}
	e := telltale.Must(telltale.NewEnum("e", "", states, telltale.Unregistered()))
	together(4, func(i int) {
		for n := range 2000 {
			if i > 0 {
				if err := e.Set(states[(i+n)%3]); err != nil {
					t.Error(err)
				}
				continue
			}
			on := 0
			for _, s := range only(t, e).States {
				if s.On {
					on++
				}
			}
			if on != 1 {
				t.Errorf("%d states are on", on)
			}
		}
	})
}

func TestZeroEnum(t *testing.T) {
	var e telltale.Enum
	if err := e.Set("on"); err != nil || e.Value() != "" {
		t.Errorf("error %v, value %q", err, e.Value())
	}
	wantPage(t, &e, "")
}
