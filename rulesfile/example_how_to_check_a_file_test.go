package rulesfile_test

import (
	"fmt"

	"telltale/rulesfile"
)

// Rules may come from elsewhere than a file. What is misspelt is refused as a whole.
func ExampleParse() {
	good, err := rulesfile.Parse([]byte("metric_relabel_configs:\n  - {regex: pod_.*, action: labeldrop}\n"))
	fmt.Println(len(good), err)
	_, err = rulesfile.Parse([]byte("metric_relabel_configs:\n  - {regexp: pod_.*, action: labeldrop}\n"))
	fmt.Println(err != nil)
	// Output:
	// 1 <nil>
	// true
}
