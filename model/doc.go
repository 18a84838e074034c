// Package model is the one shape in which telltale speaks of metrics: families
// of points. Sources (instruments, collectors, parsers, mergers) produce
// families; encoders and filters read them. A source never sees a format and a
// format never sees a source.
//
// A [Family] has a name, a help text, a unit and a [Type], and holds points.
// One [Point] is one label set with its value: a number, a [Histogram], a
// [Summary], a set of states or an info, with its created time, its timestamp
// and its exemplars. [Family.Visit] walks the points without allocating;
// [Family.Samples] expands them into the flat lines of the text formats;
// [Family.AddSample] folds such lines back into points.
//
// Names follow OpenMetrics: a counter's family is "requests", its sample
// "requests_total". The package depends on the standard library alone.
package model
