package lint_test

import (
	"fmt"

	"telltale/lint"
	"telltale/model"
)

func ExampleWithout() {
	family, err := model.NewFamily("uptime_h", "", model.Gauge)
	if err != nil {
		fmt.Println(err)
		return
	}
	help, err := lint.ParseRule("help") // as a flag may give it; lint.Rules has all
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, finding := range lint.Lint([]*model.Family{family}, lint.Without(help)) {
		fmt.Println(finding.Metric, finding.Rule)
	}
	// Output: uptime_h abbreviated-unit
}
