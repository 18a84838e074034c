package lint_test

import (
	"fmt"

	"telltale/lint"
	"telltale/model"
)

// How are the names of a program's metrics looked at, and one of them let be?
func Example_howToLint() {
	duration, err := model.NewFamily("request_duration_ms", "How long requests take.", model.Gauge)
	if err != nil {
		fmt.Println(err)
		return
	}
	legacy, err := model.NewFamily("uptime_h", "How long the service runs.", model.Gauge)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, finding := range lint.Lint([]*model.Family{duration, legacy}, lint.WithoutFor("uptime_h", lint.AbbreviatedUnit)) {
		fmt.Println(finding)
		fmt.Println(finding.Rule.Explanation())
	}
	// Output:
	// request_duration_ms: abbreviated-unit: the unit "ms" should be written out, as in request_duration_seconds
	// Units are written out.
}
