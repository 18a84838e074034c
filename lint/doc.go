// Package lint looks for families whose names, units and labels are not what
// users of Prometheus expect (Prometheus documentation, "Metric and label
// naming"). Each [Rule] has a name and an explanation, and can be silenced, for
// all families or for one:
//
//	findings := lint.Lint(families, lint.Without(lint.Help), lint.WithoutFor("process_cpu_s", lint.AbbreviatedUnit))
//
// A [Finding] mostly has a name that would be right. Whoever takes it is not told
// of something else next time.
//
// Nothing that it finds breaks a format: that is told by parsers.
package lint
