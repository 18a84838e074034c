package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"telltale"
)

//go:embed injections.json
var injections []byte

// hostile returns a registry whose names, help texts, label names and values would be
// markup or code if they were not shown as text, and values that no axis can tell apart.
func hostile() telltale.Collector {
	var texts []string
	mustDo(json.Unmarshal(injections, &texts))
	reg := telltale.NewRegistry()
	in := telltale.In(reg)
	for i, text := range texts {
		name := fmt.Sprint(text, " #", i)
		vec, err := telltale.NewCounterVec(name, text, []string{"label" + text}, in)
		if err != nil { // a name that no family or label may have
			name = fmt.Sprint("injection_", i)
			vec = telltale.Must(telltale.NewCounterVec(name, text, []string{"label"}, in))
		}
		mustDo(vec.With(text).AddWithExemplar(float64(i), map[string]string{"trace_id": text[:min(len(text), 100)]}))
	}
	long := telltale.Must(telltale.NewCounterVec("slow_to_match", "A value that takes a backtracking pattern for ever.", []string{"text"}, in))
	long.With(strings.Repeat("a", 100)).Inc()
	state := telltale.Must(telltale.NewEnum("injected_state", "", texts, in))
	mustDo(state.Set(texts[0]))
	info := telltale.Must(telltale.NewInfo("injected", "", in))
	labels := map[string]string{}
	for i, text := range texts {
		labels[fmt.Sprint("l", i)] = text
	}
	mustDo(info.Set(labels))
	for i, v := range []float64{5e-324, 1e-300, 1e-16, 1.0060361391208277, 1 << 53, 1e18, 1e299, 1.7e308} {
		near := telltale.Must(telltale.NewGaugeVec(fmt.Sprint("near_", i, "_bytes"), "Values beside each other.", []string{"which"}, in))
		near.With("this").Set(v)
		near.With("next").Set(math.Nextafter(v, math.Inf(1)))
		near = telltale.Must(telltale.NewGaugeVec(fmt.Sprint("near_", i), "Values beside each other, below zero.", []string{"which"}, in))
		near.With("this").Set(-v)
		near.With("next").Set(math.Nextafter(-v, math.Inf(-1)))
	}
	return reg
}
