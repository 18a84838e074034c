package json_test

import (
	"fmt"
	"os"
	"strings"

	"telltale/exposition"
	"telltale/exposition/json"
)

// How are pages compared whose formats differ?
func Example_howToComparePages() {
	page := `# HELP requests Requests served.
# TYPE requests counter
requests_total{code="200"} 1027 1700000000.5 # {trace_id="4bf92f35"} 0.3
# EOF
`
	family, err := exposition.NewParser(strings.NewReader(page), exposition.OpenMetrics1).Next()
	if err != nil {
		fmt.Println(err)
		return
	}
	e := json.NewEncoder(os.Stdout)
	if err := e.Encode(family); err != nil {
		fmt.Println(err)
	}
	if err := e.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// [
	// {"name":"requests","type":"counter","help":"Requests served.","unit":"","samples":[
	// {"name":"requests_total","labels":{"code":"200"},"value":"1027.0","timestamp":"1700000000.5","exemplars":[{"labels":{"trace_id":"4bf92f35"},"value":"0.3"}]}]}
	// ]
}
