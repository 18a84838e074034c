package exposition_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"telltale/exposition"
)

// How is a page in one format written in another?
func Example_howToConvert() {
	page := `# HELP requests_total Requests served.
# TYPE requests_total counter
requests_total{code="200"} 1027 1700000000500
`
	p := exposition.NewParser(strings.NewReader(page), exposition.Text004)
	e := exposition.NewEncoder(os.Stdout, exposition.OpenMetrics1)
	for {
		family, err := p.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = e.Encode(family)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := e.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// # HELP requests Requests served.
	// # TYPE requests counter
	// requests_total{code="200"} 1027.0 1700000000.5
	// # EOF
}
