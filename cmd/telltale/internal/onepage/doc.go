// Package onepage makes one page of the pages of many targets: side by side, each
// target's series with its labels ([Join]), or added up ([Sums]).
//
// # Adding up
//
// Counters, histograms and the count and sum of summaries are totals over all targets
// that were ever seen: what a target has more than at the scrape before is added, so a
// target that is away, or has ended for good, leaves what it had. A counter or a bucket
// that falls tells of a restart; it began at 0 then, and what it had stays. So does a
// series that was created later, or a process that started later
// (process_start_time_seconds), than the scrape before.
//
// Gauges, values of unknown type, state sets and gauge histograms of those targets that
// have answered are shown side by side, or, by a [Mode], added up or as the largest or
// the smallest. Of infos all different ones are shown.
//
// Histograms whose bounds differ between targets show all bounds: at a bound each target
// counts what it has at its largest own bound not above it. Quantiles of summaries are
// not added up.
//
// Native buckets are added up by the rules of a store (multiprocess): at the lowest
// schema, with a zero bucket that cuts through no bucket, and no more buckets than
// [Limits] allow. A total shows them if all its observations are in some. A finer schema
// or a lower zero threshold than at the scrape before tells of a restart, too.
package onepage
