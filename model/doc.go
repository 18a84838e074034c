// Package model is the common representation of metrics: families of points.
// Sources (instruments, collectors, parsers, mergers) produce families; encoders
// and filters read them. A source never depends on a format, nor a format on a
// source.
//
// A [Family] has a name, a help text, a unit, a [Type], and points. One [Point]
// is one label set with its value: a number, a [HistogramValue], a
// [SummaryValue], a set of states or an info, with its created time, its
// timestamp and its exemplars. [Family.Visit] visits the points without
// allocating; [Family.Samples] expands them into the flat samples of the text
// formats; [Family.AddSample] combines such samples into points.
//
// Names follow OpenMetrics: a counter's family is "requests", its sample
// "requests_total". The package depends on the standard library alone.
package model
