package rules_test

import (
	"fmt"

	"telltale"
	"telltale/rules"
)

// shown returns the samples of a view of one gauge with labels.
func shown(list ...rules.Rule) string {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewGaugeVec("depth", "Jobs that wait.", []string{"k8s_pod", "queue", "user"}, telltale.In(reg))).With("a-1", "mail", "ada").Set(2)
	view, err := rules.New(reg, list...)
	if err != nil {
		return err.Error() + "\n"
	}
	page, _ := telltale.GenerateLatest(view)
	return string(page)
}

func ExampleLabelKeep() {
	fmt.Print(shown(rules.LabelKeep("queue")))
	// Output:
	// # HELP depth Jobs that wait.
	// # TYPE depth gauge
	// depth{queue="mail"} 2.0
}

func ExampleLabelMap() {
	fmt.Print(shown(rules.LabelMap("k8s_(.+)", "$1"), rules.LabelDrop("k8s_.*|user")))
	// Output:
	// # HELP depth Jobs that wait.
	// # TYPE depth gauge
	// depth{queue="mail",pod="a-1"} 2.0
}

// Rules may be changed while the view is scraped, all or none.
func ExampleView_Set() {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewGauge("debug_depth", "Depth.", telltale.In(reg))).Set(9)
	view, err := rules.New(reg)
	if err != nil {
		fmt.Println(err)
	}
	before, _ := telltale.GenerateLatest(view)
	err = view.Set(rules.Drop("debug_.*"))
	after, _ := telltale.GenerateLatest(view)
	fmt.Println(len(before), err, len(after), view.Rules())
	// Output: 67 <nil> 0 [drop of regex "debug_.*"]
}

// How does a program see whether rules from outside can be used?
func ExampleCheck() {
	fmt.Println(rules.Check(rules.Keep("a"), rules.LabelDrop("(")))
	// Output: rules: rule 2: the regex "(" is not valid: missing closing )
}
