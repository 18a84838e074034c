package e2e

import (
	"math"
	"slices"
	"strings"
)

// parserRules has every disagreement that is known, those first that are about
// what telltale refuses.
var parserRules = slices.Concat(textRules, openMetricsRules, pythonTextRules, pythonOpenMetricsRules, refusedRules, sampleRules, metadataRules)

// Sections of "Exposition formats", in the documentation of Prometheus.
const (
	lineFormat = `text: "Line format"`
	comments   = `text: "Comments, help text, and type information"`
	grouping   = `text: "Grouping and sorting"`
	histograms = `text: "Histograms and summaries"`
)

// textRules are for pages of text that telltale alone refuses.
var textRules = []parserRule{
	{
		readers: "textparse expfmt python", format: "text", says: says(`^the end of the page / a line feed$`),
		right: telltaleIs, clause: lineFormat, why: "the last line must end with a line feed, else it may have been cut off",
	},
	{
		readers: "textparse expfmt python", format: "text", says: says(` / all lines of a family together$`),
		right: telltaleIs, clause: grouping, why: "all lines of a metric are one group; they do not look back",
	},
	{
		readers: "textparse expfmt python", format: "text", says: says(`^the same series (again|with and without timestamp) / each series once`),
		right: telltaleIs, clause: grouping, why: "each line has a unique combination of a metric name and labels; they keep both, or the last",
	},
	{
		readers: "textparse expfmt python", format: "text", says: says(`^a histogram without the bucket \+Inf / that bucket behind all others$|^the count .* / the value of the bucket \+Inf, `),
		right: telltaleIs, clause: histograms, why: "a histogram has the bucket +Inf, whose value is the count",
	},
	{
		readers: "textparse expfmt python", format: "text", says: says(`^the (bound|quantile) .* after .* / increasing (bound|quantile)s, each once$`),
		right: telltaleIs, clause: histograms, why: "buckets and quantiles come in increasing order",
	},
	{
		readers: "textparse expfmt python", format: "text", says: says(`^a bucket of less than the one before / cumulative buckets$`),
		right: telltaleIs, clause: histograms, why: "buckets are cumulative",
	},
	{
		readers: "textparse python expfmt", format: "text", says: says(`^(NaN|-[0-9.e+]+|-Inf) / a number not below zero: it counts$`),
		right: telltaleIs, clause: histograms, why: "buckets and counts of histograms are numbers of observations", rare: true,
	},
	{
		readers: "textparse expfmt python", format: "text", says: says(`^the (bound|quantile) ".*" / a number`),
		right: telltaleIs, clause: histograms, why: "the label of a bucket or a quantile is a number, and that of the last bucket +Inf; infinity has other spellings elsewhere",
	},
	{
		readers: "textparse expfmt python", format: "text", says: says(`^no label of the bucket or quantile / |^the label "(le|quantile)" / it on buckets or quantiles alone$`),
		right: telltaleIs, clause: histograms, why: "buckets have the label le, quantiles the label quantile, counts and sums none of both",
	},
	{
		readers: "textparse expfmt python", format: "text", says: says(`^a sample of the histogram .* without a suffix / `),
		right: telltaleIs, clause: histograms, why: "a histogram has buckets, a sum and a count",
	},
	{
		readers: "textparse python", format: "text", says: says(`^the label name __name__ / `),
		right: telltaleIs, clause: "Data model", why: "it is the label of the metric's name",
	},
	{
		readers: "expfmt python", format: "text", says: says(` / counter, gauge, histogram, summary or untyped$`),
		right: telltaleIs, clause: comments, why: "the type is one of five words, in small letters; they take others, or none",
	},
	{
		readers: "textparse python", format: "text", says: says(`^a second (HELP|TYPE) of .* / one$`),
		right: telltaleIs, clause: comments, why: "there is one HELP and one TYPE line for a metric",
	},
	{
		readers: "textparse expfmt python", format: "text", says: says(`^(HELP|TYPE) after samples of .* / it before them$`),
		right: telltaleIs, clause: grouping, why: "HELP and TYPE come first in their group",
	},
	{
		readers: "expfmt", format: "text", says: says(`^the escape "\\\\\\"" / \\\\ or \\n$`), when: onLineOf(`#[ \t]*HELP`),
		right: telltaleIs, clause: comments, why: "a help text has the escapes of backslash and line feed alone; it takes that of quotes, too",
	},
	{
		readers: "textparse python", format: "text", says: says(`^the escape .* / `),
		right: telltaleIs, clause: lineFormat, why: "a backslash is escaped, or escapes one of three characters; they take it for itself",
	},
	{
		readers: "textparse expfmt python", format: "text", says: says(`^the label name .* again / each name once$`),
		right: telltaleIs, clause: "LabelSet", why: "label names are unique; of two values they would lose one",
	},
	{
		readers: "textparse expfmt", format: "text", says: says(`^",?.* / "="$`), when: onLineOf(`\{.*"`),
		right: telltaleIs, clause: lineFormat, why: "a quoted metric name stands first in the braces; they find it behind labels, too",
	},
	{
		readers: "textparse expfmt", format: "text", says: says(` / UTF-8$`), when: onLineOf(`^\s*#`),
		right: telltaleIs, clause: `text: "Basic info"`, why: "the encoding is UTF-8; they do not look at every comment",
	},
	{
		readers: "textparse expfmt", format: "text", says: says(`^the end of the line / a metric name$`), when: onLineOf(`#[ \t]*(HELP|TYPE)[ \t]*$`),
		right: telltaleIs, clause: comments, why: "after HELP and TYPE at least a metric name is expected",
	},
	{
		readers: "textparse", format: "text", says: says(` / a space after the metric name$`), when: onLineOf(`#[ \t]*(HELP|TYPE)`),
		right: telltaleIs, clause: comments, why: "the name is a token of its own; its lexer takes the rest for help",
	},
	{
		readers: "textparse", format: "text", says: says(` / "," or "}"$`),
		right: telltaleIs, clause: lineFormat, why: "commas separate labels; it does without them",
	},
	{
		readers: "textparse", format: "text openmetrics", says: says(`^an opening quote / a closing one after it$`), when: onLineOf(`"`),
		right: telltaleIs, clause: lineFormat + "; ABNF: label", why: "a quoted string ends in its line; its lexer goes on in the next",
		rare: true,
	},
	{
		readers: "textparse python", format: "text", when: onLineOf(`^[ \t]*#(HELP|TYPE)([ \t]|$)`),
		right: telltaleIs, clause: comments, why: "HELP and TYPE are tokens behind the hash, with blanks between or without; they take the line for a comment", rare: true,
	},
	{
		readers: "textparse expfmt", format: "text", says: says(`^"[.+-].*" / a space or "\{" after the metric name$`),
		right: telltaleIs, clause: lineFormat, why: "blanks separate a name and a value; they end a name where it cannot go on", rare: true,
	},
	{
		readers: "expfmt", format: "text", says: says(`^"\\".* / a space after the metric name$`), when: onLineOf(`#[ \t]*(HELP|TYPE)[ \t]+[^ \t]+"`),
		right: telltaleIs, clause: comments, why: "a quoted name is quoted as a whole", rare: true,
	},
	{
		readers: "expfmt", format: "text", says: says(`^a second HELP of .* / one$`), when: onPage(`#[ \t]*HELP[ \t]+[^ \t]+[ \t]*$`),
		right: telltaleIs, clause: comments, why: "there is one HELP line for a metric, be it empty", rare: true,
	},
	{
		readers: "textparse", format: "text openmetrics", says: says(`^".*\\x00|^the end of the line / |^".*" / "# HELP "`), when: onLineOf(`\x00`),
		right: telltaleIs, clause: "Strings; ABNF", why: "its lexer passes over NUL bytes, or ends there", rare: true,
	},
	{
		readers: "textparse", format: "text openmetrics", says: says(` / UTF-8$`), when: onLineOf(`"[^"]*[^\x00-\x7f]`),
		right: telltaleIs, clause: `Strings; text: "Basic info"`, why: "the encoding is UTF-8; it does not look at names", rare: true,
	},
}

// openMetricsRules are for pages of OpenMetrics that telltale alone refuses.
// Textparse knows the grammar and nothing of what lines mean together.
var openMetricsRules = []parserRule{
	{
		readers: "textparse", format: "openmetrics", says: says(`^",?.* / "="$`), when: onLineOf(`\{.*,"`),
		right: telltaleIs, clause: "ABNF: sample, quoted names", why: "a quoted metric name stands first in the braces; it finds it behind labels, too",
	},
	{
		readers: "textparse", format: "text openmetrics", says: says(`^an empty name / a`), when: onLineOf(`""`),
		right: telltaleIs, clause: "Label", why: "names have a character at least", rare: true,
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^"}.* / a label name$`), when: onLineOf(`,\}`),
		right: telltaleIs, clause: "ABNF: labels", why: "commas stand between labels, not behind the last",
	},
	{
		readers: "textparse python", format: "openmetrics", says: says(` / (one|a name) that does not begin with an underscore, as those are reserved$`),
		right: telltaleIs, clause: "Label; MetricFamily, Name", why: "names that begin with an underscore are reserved",
	},
	{
		readers: "textparse python", format: "openmetrics", says: says(`^a double quote / it after a backslash$`), when: onLineOf(`^# HELP `),
		right: telltaleIs, clause: "ABNF: escaped-string, normal-char", why: "a double quote in a help text is escaped",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`which clashes with one before it / |^a sample of the [a-z]+ .* without a suffix / `),
		right: telltaleIs, clause: "MetricFamily; Suffixes", why: "names of families and samples do not clash, a family comes in one piece, and its samples have the suffixes of its type",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^the same metadata of .* / it once$`),
		right: telltaleIs, clause: "MetricFamily metadata", why: "there is one line of each kind of metadata",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^metadata after samples of .* / it before them$`),
		right: telltaleIs, clause: "MetricFamily metadata", why: "metadata comes before the samples",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^a unit of an info or a state set / none$`),
		right: telltaleIs, clause: "StateSet; Info", why: "infos and state sets have no unit",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^an exemplar / exemplars on counters and buckets alone$`),
		right: telltaleIs, clause: "Exemplars", why: "only counters and buckets have exemplars",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^an exemplar with labels of more than 128 characters / `),
		right: telltaleIs, clause: "Exemplars", why: "labels of an exemplar have at most 128 characters",
	},
	{
		readers: "textparse python", format: "openmetrics", says: says(`^an exemplar above the bound of its bucket / `),
		right: telltaleIs, clause: "Histogram", why: "the value of an exemplar is in its bucket", rare: true,
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^the label name .* again / each name once$`),
		right: telltaleIs, clause: "LabelSet", why: "label names are unique",
	},
	{
		readers: "textparse python", format: "openmetrics", says: says(`^the (state|quantile) .* twice in this `),
		right: telltaleIs, clause: "StateSet; Summary", why: "each state and quantile is there once",
	},
	{
		readers: "textparse python", format: "openmetrics", says: says(`^the same series again / each series once for each timestamp$`),
		right: telltaleIs, clause: "Metric", why: "a metric has one point for a time; python drops the second in silence",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^the bound .* after .* / increasing bounds, each once$`),
		right: telltaleIs, clause: "Histogram", why: "buckets come in increasing order",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^a bucket of less than the one before / cumulative buckets$`),
		right: telltaleIs, clause: "Histogram", why: "buckets are cumulative",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^a histogram without the bucket \+Inf / that bucket behind all others$`),
		right: telltaleIs, clause: "Histogram", why: "the last bucket is +Inf",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^the count .* / the value of the bucket \+Inf, `),
		right: telltaleIs, clause: "Histogram", why: "the count is the bucket +Inf's",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(` / both or neither$`),
		right: telltaleIs, clause: "Histogram", why: "count and sum come together",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^a sum beside a negative bound / none|^a negative sum / one only beside negative bounds`),
		right: telltaleIs, clause: "Histogram; GaugeHistogram", why: "negative sums and negative bounds go together, in gauges alone", rare: true,
	},
	{
		readers: "textparse", format: "openmetrics", says: says(` / a number, or \+Inf in this spelling$`),
		right: telltaleIs, clause: "Considerations: Canonical Numbers", why: "a bound is a number, and infinity +Inf",
	},
	{
		readers: "textparse python", format: "openmetrics", says: says(`^the quantile ".*" / a number from 0 to 1$`),
		right: telltaleIs, clause: "Summary", why: "a quantile is from 0 to 1; python reads numbers with blanks about them",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^no label for the bucket, quantile or state / `),
		right: telltaleIs, clause: "Histogram; Summary; StateSet", why: "buckets, quantiles and states have a label that tells which",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^the label "(le|quantile)" / it on buckets or quantiles alone$`),
		right: telltaleIs, clause: "Histogram; Summary", why: "le and quantile are of buckets and quantiles alone", rare: true,
	},
	{
		readers: "textparse", format: "openmetrics", says: says(` / (0 or 1|1, the value of every info)$`),
		right: telltaleIs, clause: "StateSet; Info", why: "states are 0 or 1, infos 1",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(` / (a whole number not below zero: it counts|a number not below zero: .*|NaN or a number not below zero|a number)$`),
		when:  func(d *disagreement) bool { return !strings.Contains(d.ours.Error(), `found "`) },
		right: telltaleIs, clause: "Counter; Histogram; Summary", why: "counts are whole numbers; totals, sums and quantiles are not negative",
	},
	{
		readers: "textparse python", format: "openmetrics", says: says(`^a counter without a total / `),
		right: telltaleIs, clause: "Counter", why: "a counter has a total",
	},
	{
		readers: "textparse python", format: "openmetrics", says: says(`^(NaN|[+-]Inf|[-+.0-9e]+) / a timestamp in seconds$`), when: onPage(`_created`),
		right: telltaleIs, clause: "Timestamps", why: "the time of creation is a timestamp, which is a real number",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`metrics in one piece$`),
		right: telltaleIs, clause: "Metric", why: "the samples of a metric stand together",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(`^the timestamp .* after .* / timestamps that do not go back$`),
		right: telltaleIs, clause: "Metric", why: "timestamps of a metric do not go back",
	},
	{
		readers: "textparse", format: "openmetrics", says: says(` / all or none of them$`),
		right: telltaleIs, clause: "Metric", why: "all samples of a metric have timestamps or none has",
	},
	{
		readers: "textparse python", format: "openmetrics", says: says(`^the escape "\\\\" / `), when: onLineOf(`^# HELP .*\\$`),
		right: telltaleIs, clause: "ABNF: escaped-string", why: "a backslash is before another character; it cannot be the last",
	},
}

// bucketTwice reports whether the page has the line of a bucket twice but for
// its value.
func bucketTwice(d *disagreement) bool {
	series := func(line string) string { return line[:strings.LastIndex(line, "} ")+1] }
	n := 0
	for line := range strings.SplitSeq(d.page, "\n") {
		if s := series(line); s != "" && s == series(d.line) {
			n++
		}
	}
	return n > 1
}

// keepsSign reports whether a number is zero below zero.
func keepsSign(v float64) bool { return v == 0 && math.Signbit(v) }
