// Package lint looks for families whose names, units and labels are not what
// users of Prometheus expect (Prometheus documentation, "Metric and label
// naming"). Each [Rule] has a name and an explanation, and can be silenced, for
// all families or for one:
//
//	findings := lint.Lint(families, lint.Without(lint.Help), lint.WithoutFor("process_cpu_s", lint.AbbreviatedUnit))
//
// Most findings suggest a name. A metric or label that takes the suggested name
// has no finding that it did not have before.
//
// Findings are about conventions. What breaks a format is an error of its parser.
package lint
