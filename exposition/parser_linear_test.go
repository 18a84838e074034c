package exposition_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/exposition"
)

// Pages that would take minutes if anything in a parser took more than linear
// time, and here take no time at all.
func TestLinear(t *testing.T) {
	const n = 50_000
	lines := func(head string, line func(i int) string) string {
		var b strings.Builder
		b.WriteString(head)
		for i := range n {
			b.WriteString(line(i))
		}
		return b.String() + "# EOF\n"
	}
	pages := map[string]string{
		"escapes":        "a{b=\"" + strings.Repeat(`\\`, 500_000) + "\"} 1\n# EOF\n",
		"escaped quotes": "a{b=\"" + strings.Repeat(`\"`, 500_000) + "\"} 1\n# EOF\n",
		"odd escapes":    "a{b=\"" + strings.Repeat(`\`, 999_999) + "\"} 1\n# EOF\n",
		"help":           "# HELP a " + strings.Repeat(`\`, 1_000_000) + "\n# EOF\n",
		"quotes":         "a{" + strings.Repeat(`"`, 1_000_000) + "\n# EOF\n",
		"line":           strings.Repeat("a", 10_000_000),
		"empty lines":    strings.Repeat("\n", 1_000_000),
		"families":       lines("", func(i int) string { return fmt.Sprintf("a%d 1\n", i) }),
		"labels":         lines("", func(i int) string { return fmt.Sprintf("a{b%d=\"\",c=\"\"} 1\n", i) }),
		"orders":         lines("", func(i int) string { return []string{"a{b=\"\",c=\"\"} 1 1\n", "a{c=\"\",b=\"\"} 1 1\n"}[i%2] }),
		"counts":         lines("# TYPE a summary\n", func(int) string { return "a_count 1 1\n" }),
		"states":         lines("# TYPE a stateset\n", func(i int) string { return fmt.Sprintf("a{a=\"%d\"} 1\n", i) }),
		"quantiles":      lines("# TYPE a summary\n", func(i int) string { return fmt.Sprintf("a{quantile=\"0.%d\"} 1\n", n-i) }),
		"buckets":        lines("# TYPE a histogram\n", func(i int) string { return fmt.Sprintf("a_bucket{le=\"%d\"} 1\n", i) }),
		"buckets, back":  lines("# TYPE a histogram\n", func(i int) string { return fmt.Sprintf("a_bucket{le=\"%d\"} 1\n", n-i) }),
		"series":         lines("# TYPE a histogram\n", func(i int) string { return fmt.Sprintf("a_count{b=\"%d\"} 1\n", i%(n/2)) }),
		"times":          lines("# TYPE a summary\n", func(i int) string { return fmt.Sprintf("a_count 1 %d\n", i) }),
		"composites":     lines("# TYPE a histogram\n", func(i int) string { return fmt.Sprintf("a{b=\"%d\"} {count:0,sum:0,bucket:[+Inf:0]}\n", i) }),
		"values":         "# TYPE a summary\na {count:1,sum:1,quantile:[" + strings.Repeat("0:1,", 200_000) + "]}\n# EOF\n",
		"exemplars":      "# TYPE a counter\na 1" + strings.Repeat(" # {} 1 1", 100_000) + "\n# EOF\n",
		"state by state": lines("# TYPE a stateset\n", func(i int) string { return fmt.Sprintf("a{a=\"%d\"} 1 %d\n", i/(n/2), i%(n/2)) }),
		"state times":    lines("# TYPE a stateset\n", func(i int) string { return fmt.Sprintf("a{a=\"%d\"} 1 %d\n", i, i) }),
	}
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			for _, f := range []exposition.Format{exposition.Text004, exposition.OpenMetrics1, exposition.OpenMetrics2} {
				for _, opts := range [][]exposition.ParserOption{nil, {exposition.WithLenient()}, {exposition.WithAllErrors()}} {
					if _, err := parse([]byte(page), f, opts...); err != nil && len(err.Error()) > 500 {
						t.Errorf("an error of %d bytes", len(err.Error()))
					}
				}
			}
		})
	}
}
