package exposition_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"telltale/exposition"
)

// What is wrong with a page, all of it?
func Example_howToFindAllErrors() {
	page := `# TYPE requests countr
requests_total{code="200"} 1027
requests_total{code="500"} 3
# TYPE temperature gauge
temperature warm
# EOF
`
	p := exposition.NewParser(strings.NewReader(page), exposition.OpenMetrics1, exposition.WithAllErrors())
	for {
		_, err := p.Next()
		var wrong *exposition.SyntaxError
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.As(err, &wrong):
			fmt.Printf("line %d: %s\n", wrong.Line, wrong.Found)
		case err != nil: // of the reader, or too many
			fmt.Println(err)
			return
		}
	}
	// Output:
	// line 1: "countr"
	// line 5: "warm"
}
