// Package rules lets operators decide at run time what of a program's metrics is
// shown: a [View] of a collector keeps, drops, renames and relabels what it emits, by
// rules that may be replaced while scrapes go on.
//
// Rules are those of metric_relabel_configs in Prometheus, with the same defaults and
// the same anchored RE2: keep, drop, replace, labeldrop, labelkeep and labelmap. Rename
// is not in Prometheus; it moves a family whole, and can show it under both names for a
// while. Package rulesfile (a module of its own) reads rules from YAML and rereads them
// when the file changes.
//
// Rules are applied one after the other to each sample, whose name is the label
// "__name__": a counter's is "requests_total", not "requests". What they change is
// always a valid page:
//
//   - A family of which no sample can be left is not walked, and a collector that
//     describes only such families is not called.
//   - The name of a sample is changed by rename alone. The other actions cannot write,
//     drop or map "__name__".
//   - Histograms and summaries stay whole. Keep and drop see each of their samples, and
//     may take out buckets, quantiles, count or sum; the bucket "+Inf" goes with its
//     series, or with the buckets of all series by their name. All other actions change
//     a series as a whole: they see no "le" and no "quantile" and cannot write or drop
//     them, and where replace reads "__name__", the first sample that its regex matches
//     decides, in the order name of the family, buckets or quantiles, count, sum. State
//     sets likewise, whose states are told apart by a label with the family's name.
//   - A native histogram has the name of its family. In a format without native
//     histograms it is shown as count, sum and the bucket "+Inf", whatever rules say of
//     those.
//   - A created time follows the samples of its series; its own name, such as
//     "requests_created", can be dropped.
//   - Series that rules make equal: the first stays, the others are left out and
//     counted as repeated_series. A series whose labels its family cannot have is left
//     out and counted as label_clash, a family whose new name is on the page already
//     as repeated_family.
//   - Labels whose names begin with "__" are for use by later rules and are not shown.
//   - An empty value removes a label.
//
// Decisions are remembered by series, so that a scrape through rules takes little more
// than one without.
package rules
