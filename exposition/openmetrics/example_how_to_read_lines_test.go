package openmetrics_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"telltale/exposition/openmetrics"
)

// How are lines read one by one, and what does an error look like?
func Example_howToReadLines() {
	page := `# TYPE requests counter
requests_total{code="200"} 1027 1700000000.5 # {trace_id="4bf92f35"} 0.3
requests_total{code="500"} many
# EOF
`
	s := openmetrics.NewScanner(strings.NewReader(page))
	for {
		e, err := s.Next()
		var wrong *openmetrics.SyntaxError
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.As(err, &wrong):
			fmt.Printf("%d:%d: %v\n", wrong.Line, wrong.Column, err)
			return
		case err != nil:
			fmt.Println(err)
			return
		}
		// What e refers to is valid until the next line is read: print it, or
		// copy it.
		fmt.Printf("%s {%s} %v %v %v\n", e.Name, e.Labels.Text(), e.Value, e.Timestamp, len(e.Exemplars))
	}
	// Output:
	// requests {} 0  0
	// requests_total {code="200"} 1027 1700000000.5 1
	// 3:28: line 3, column 28: found "many", expected a number
}
