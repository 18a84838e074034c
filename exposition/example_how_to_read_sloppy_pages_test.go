package exposition_test

import (
	"fmt"
	"strings"

	"telltale/exposition"
)

// How is a page read that does not hold to its format?
func Example_howToReadSloppyPages() {
	page := "duration_sum 7\r\nduration_count 3\r\n# TYPE duration Summary" // no line feed, and the type comes last
	p := exposition.NewParser(strings.NewReader(page), exposition.OpenMetrics1, exposition.WithLenient())
	family, err := p.Next()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(family.Type)
	for s := range family.Samples() {
		fmt.Println(s.Name, s.Value)
	}
	// Output:
	// summary
	// duration_count 3
	// duration_sum 7
}
