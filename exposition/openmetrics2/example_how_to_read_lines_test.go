package openmetrics2_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"telltale/exposition/openmetrics2"
)

// How are lines read one by one, and what does an error look like?
func Example_howToReadLines() {
	page := `# TYPE latency histogram
latency{code="200"} {count:3,sum:1.5,bucket:[0.5:1,+Inf:3]} st@1700000000 # {} 0.3 1700000001 # {} 0.7 1700000002
latency{code="500"} {count:3,sum:1.5}
# EOF
`
	s := openmetrics2.NewScanner(strings.NewReader(page))
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		// What e refers to is valid until the next line is read: print it, or
		// copy it.
		if c := e.Composite; c != nil {
			fmt.Printf("%s{%s}: %v of %v at most, %v since %v, %d exemplars\n", e.Name, e.Labels.Text(), c.Counts, c.Upper, c.Count, e.Start, len(e.Exemplars))
		}
	}
	// Output:
	// latency{code="200"}: [1 3] of [0.5 +Inf] at most, 3 since 1700000000, 2 exemplars
	// line 3, column 37: found "}", expected ",bucket:"
}
