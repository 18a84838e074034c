package e2e

import (
	"regexp"
	"strings"
)

// pythonTextRules are for pages of text that telltale refuses and Python does
// not: its parser says of itself that it is lax.
var pythonTextRules = []parserRule{
	{
		readers: "python", format: "text", says: says(` / ("=|"," or "}"|a label name|a label value in double quotes|a space or "\{" after the metric name)`), when: onLineOf(`[{}]`),
		right: telltaleIs, clause: lineFormat, why: "labels are looked for by their equals signs and quotes; what else is in the braces is passed over",
	},
	{
		readers: "python", format: "text", says: says(`^an opening quote / a closing one after it$`), when: onLineOf(`"`),
		right: telltaleIs, clause: lineFormat, why: "a quoted string ends; it is cut at the brace",
	},
	{
		readers: "python", format: "text", says: says(` / a timestamp in whole milliseconds$`),
		right: telltaleIs, clause: lineFormat, why: "the timestamp is an int64; any float will do, and whatever stands before the last token of the line",
	},
	{
		readers: "python", format: "text", says: says(` / the end of the line$`),
		right: telltaleIs, clause: lineFormat, why: "nothing follows a timestamp or a type; the last token is taken for the timestamp",
	},
	{
		readers: "python", format: "text", says: says(` / a number$`),
		right: telltaleIs, clause: lineFormat, why: "a value is what Go's ParseFloat takes; Python takes digits of other scripts, underscores, white space and numbers too large",
	},
	{
		readers: "python", format: "text", says: says(` / (a metric name|a space after the metric name)$`),
		right: telltaleIs, clause: lineFormat, why: "tokens are separated by spaces and tabs, not by white space of every alphabet, and names have their characters",
	},
}

// pythonOpenMetricsRules are for pages of OpenMetrics that telltale refuses and
// Python does not.
var pythonOpenMetricsRules = []parserRule{
	{
		readers: "python", format: "openmetrics", says: says(` / "# HELP ", "# TYPE ", "# UNIT " or "# EOF"$`), when: onLineOf(`^#`),
		right: telltaleIs, clause: "ABNF: metric-descriptor", why: "metadata begins with a hash and one space; it looks for a hash and the word",
	},
	{
		readers: "python", format: "openmetrics", says: says(`^"[-+]?([0-9.eE+]*|(?i:nan)|\p{Nd}*)" / (the exemplar's value, )?a number$|^"\p{Nd}+" / a timestamp in seconds$`),
		right: telltaleIs, clause: "ABNF: number", why: "Python reads digits of other scripts, signs before NaN, and numbers too large for a float64 as infinite",
	},
	{
		readers: "python", format: "openmetrics", says: says(`^the bound .* / a number, or \+Inf in this spelling$`),
		when:  onText(`le="(\s|\\n|\x{a0})*([-+0-9_.eE]+|\p{Nd}+|[-+]?(?i:nan))(\s|\\n|\x{a0})*"`, func(d *disagreement) string { return d.line }),
		right: telltaleIs, clause: "ABNF: number", why: "bounds are what Python takes for a float: with underscores, blanks about them, signs before NaN",
	},
	{
		readers: "python", format: "openmetrics", says: says(`^the bound (".*") after .* / increasing bounds, each once$`), when: bucketTwice,
		right: telltaleIs, clause: "Histogram", why: "a bucket is there once; it drops the second in silence",
	},
	{
		readers: "python", format: "openmetrics", says: says(`^an opening quote / a closing one after it$`), when: onLineOf(`\\"`),
		right: telltaleIs, clause: "ABNF: label", why: "a quote after a backslash does not end a value", rare: true,
	},
	{
		readers: "python", format: "openmetrics", says: says(`^the label "(le|quantile)" / it on buckets or quantiles alone$`),
		right: telltaleIs, clause: "Histogram; Summary", why: "le and quantile are of buckets and quantiles alone", rare: true,
	},
	{
		readers: "python", format: "openmetrics", says: says(`metrics in one piece$`), when: onLineOf(`_info[{ ]`),
		right: telltaleIs, clause: "Metric", why: "all series of an info are taken for one metric", rare: true,
	},
	{
		readers: "python", format: "openmetrics", says: says(` / a space before the value$`), when: onLineOf(`\}[^ ]`),
		right: telltaleIs, clause: "ABNF: sample", why: "one space is before the value; it takes none, too", rare: true,
	},
	{
		readers: "python", format: "openmetrics", says: says(`^" # .* / a timestamp in seconds$`), when: onLineOf(`  # \{`),
		right: telltaleIs, clause: "ABNF: sample", why: "one space is before the hash of an exemplar; nothing between two is taken for no timestamp", rare: true,
	},
	{
		readers: "python", format: "openmetrics", says: says(`^"-?[0-9]+\.[0-9]{9}.+" / a timestamp in seconds$`),
		right: telltaleIs, clause: "ABNF: timestamp", why: "what stands behind the ninth decimal is not looked at",
	},
	{
		readers: "python", format: "openmetrics", says: says(` / timestamps that do not go back$`), when: onPage(longExponent),
		right: telltaleIs, clause: "ABNF: timestamp", why: "what stands behind the ninth decimal is not looked at, an exponent either", rare: true,
	},
	{
		readers: "python", format: "openmetrics", says: says(` / timestamps that do not go back$`), when: onPage(` -0\.[0-9]+( #.*)?$`),
		right: telltaleIs, clause: "Timestamps", why: "the sign of -0.5 is lost", rare: true,
	},
}

// refusedRules are for pages that telltale accepts and others refuse.
var refusedRules = []parserRule{
	{
		readers: "textparse", format: "text", outcome: theyRefuse, says: says(`^expected timestamp or new record, got "[-+]"`), when: onPage(` [-+][0-9]+[ \t]*$`),
		right: telltaleIs, clause: lineFormat, why: "a timestamp is what Go's ParseInt takes, with a sign or without; its lexer takes digits only",
	},
	{
		readers: "textparse", format: "text", outcome: theyRefuse, says: says(`^invalid metric type "((\s|\\t).*|.*(\s|\\t))"$`),
		right: telltaleIs, clause: lineFormat, why: "any number of blanks separates tokens; it takes those about the type for a part of it",
	},
	{
		readers: "expfmt", format: "text", outcome: theyRefuse, says: says(`unknown metric type ".*(\s|\\t)"$`),
		right: telltaleIs, clause: lineFormat, why: "trailing blanks are ignored; it takes those behind a type for a part of it",
	},
	{
		readers: "expfmt", format: "text", outcome: theyRefuse, says: says(`expected integer as timestamp, got ""$|spurious string after timestamp: "(\s|\\t)+"$`), when: onPage(`[ \t]$`),
		right: telltaleIs, clause: lineFormat, why: "trailing blanks are ignored; it expects a timestamp, or nothing behind it",
	},
	{
		readers: "python", format: "text openmetrics", outcome: theyRefuse, says: says(`Invalid labels: |bad label name: |Invalid metric name: |^ValueError: $`), when: onPage(`[{,]"[^"]+"=|\{"|^# [A-Z]+ "`),
		right: telltaleIs, clause: lineFormat + ", quoted names", why: "it is older than names in quotes",
	},
	{
		readers: "python", format: "text", outcome: theyRefuse, says: says(`Invalid metric name: .*\t`),
		right: telltaleIs, clause: lineFormat, why: "blanks and tabs separate tokens; it looks for one of them alone", rare: true,
	},
	{
		readers: "textparse", format: "text openmetrics", outcome: theyRefuse, says: says(`\\x00" \("INVALID"\)`), when: onPage(`"[^"]*\x00`),
		right: telltaleIs, clause: "Strings", why: "any character but a few can be in a quoted name; its lexer ends at a NUL there", rare: true,
	},
	{
		readers: "python", format: "text", outcome: theyRefuse, says: says(`Invalid metric (type|name): `), when: onPage(oddComment),
		right: telltaleIs, clause: comments, why: "what is not HELP or TYPE right behind the hash and blanks is a comment; it takes the second token for the word", rare: true,
	},
	{
		readers: "python", format: "openmetrics", outcome: theyRefuse, says: says(`^ValueError: Invalid line: .*# \{.*\}.*\}`),
		right: telltaleIs, clause: "ABNF: label", why: "the first closing brace in an exemplar's label value is taken for the end of its labels", rare: true,
	},
	{
		readers: "python", format: "openmetrics", outcome: theyRefuse, says: says(`'float' (object has no attribute|and 'Timestamp')|and 'float'`), when: onPage(` [-+]?([0-9]*\.[0-9]+|[0-9.]+[eE][-+]?[0-9]+)( #.*)?$`),
		right: telltaleIs, clause: "ABNF: timestamp", why: "it cannot compare timestamps with an exponent, or without a digit before the point, with others", rare: true,
	},
	{
		readers: "python", format: "openmetrics", outcome: theyRefuse, says: says(`could not convert string to float: '.*"\} `), when: onPage(`"[^"]* # .*" *\}? .* # \{`),
		right: telltaleIs, clause: "ABNF: label", why: "a hash between blanks in a label value is taken for the beginning of an exemplar", rare: true,
	},
	{
		readers: "python", format: "openmetrics", outcome: theyRefuse, says: says(`Mix of timestamp presence within a group: .*_info[{ ]`),
		right: telltaleIs, clause: "Info", why: "all series of an info are taken for one metric", rare: true,
	},
	{
		readers: "python", format: "openmetrics", outcome: theyRefuse, says: says(`Timestamps went backwards`), when: onPage(` -?[0-9]+\.[0-9]*[1-9][0-9]*( #.*)?$`),
		right: telltaleIs, clause: "Metric", why: "timestamps do not go back; it takes one for later if its fraction is larger, whatever the seconds", rare: true,
	},
	{
		readers: "python", format: "openmetrics", outcome: theyRefuse, says: says(`Timestamps went backwards`), when: onPage(` -0?\.[0-9]+$`),
		right: telltaleIs, clause: "Timestamps", why: "the sign of -0.5 is lost", rare: true,
	},
}

// sampleRules are for pages that all accept.
var sampleRules = []parserRule{
	{
		readers: "textparse", format: "text", outcome: otherSamples, when: onPage(`^[ \t]+[a-zA-Z_:{]`),
		right: telltaleIs, clause: lineFormat, why: "leading blanks are ignored; it takes them for a part of the name",
	},
	{
		readers: "textparse python", format: "openmetrics", outcome: otherSamples, when: onCreated,
		right: bothAre, clause: "Timestamps", why: "telltale keeps times of creation in whole nanoseconds, others the float64", rare: true,
	},
	{
		readers: "textparse", format: "text", outcome: otherSamples, when: onPage(`^[ \t]*#.*\x00`),
		right: telltaleIs, clause: comments, why: "a NUL in a comment has its lexer lose the next line", rare: true,
	},
	{
		readers: "textparse", format: "openmetrics", outcome: otherSamples,
		when: func(d *disagreement) bool {
			return d.extra != nil && keepsSign(d.extra.value) && strings.Contains(d.page, " stateset\n")
		},
		right: bothAre, clause: "StateSet", why: "a state is on or off: telltale does not keep the sign of a zero", rare: true,
	},
	{
		readers: "python", format: "openmetrics", outcome: otherSamples, when: onPage(longExponent),
		right: telltaleIs, clause: "ABNF: timestamp", why: "what stands behind the ninth decimal is not looked at, an exponent either", rare: true,
	},
	{
		readers: "python", format: "openmetrics", outcome: otherSamples, when: onPage(` -\.[0-9]+( #.*)?$`),
		right: bothAre, clause: "Timestamps", why: "the sign of -0.5 is lost, for which TestReaders changes what is expected, but that of -.5 is not",
	},
	{
		readers: "textparse python", format: "text", outcome: otherSamples, when: onPage(`^[ \t]*#(HELP|TYPE)[ \t]`),
		right: telltaleIs, clause: comments, why: "HELP and TYPE are tokens behind the hash, with blanks between or without", rare: true,
	},
	{
		readers: "python", format: "text", outcome: otherSamples, when: onPage(oddComment),
		right: telltaleIs, clause: comments, why: "what is not HELP or TYPE right behind the hash and blanks is a comment; it takes the second token for the word", rare: true,
	},
	{
		readers: "textparse", format: "openmetrics", outcome: otherSamples, when: onPage(` [0-9]{17,}( #.*)?$`),
		right: telltaleIs, clause: "Timestamps", why: "seconds so large overflow its milliseconds", rare: true,
	},
	{
		readers: "textparse", format: "openmetrics", outcome: otherSamples, when: onPage(` # \{.*\\[^\\"n]`),
		right: telltaleIs, clause: "ABNF: escaped-string", why: "values of an exemplar's labels are returned as they stand on the page", rare: true,
	},
	{
		readers: "python", format: "text", outcome: otherSamples, when: onPage(`"a b"=`),
		right: telltaleIs, clause: lineFormat + ", quoted names", why: "it is older than names in quotes, which it takes for a part of them",
	},
	{
		readers: "python", format: "openmetrics", outcome: otherSamples,
		when: func(d *disagreement) bool {
			return d.missing != nil && d.extra != nil && (keepsSign(d.missing.value) || d.missing.exemplar != nil && keepsSign(d.missing.exemplar.value))
		},
		right: telltaleIs, clause: "Values", why: "whole numbers are read as integers, of which -0 is 0",
	},
	{
		readers: "python", format: "openmetrics", outcome: otherSamples,
		when:  func(d *disagreement) bool { return d.missing != nil && d.extra == nil && d.missing.at != nil },
		right: telltaleIs, clause: "Metric", why: "a second sample of a series at the same time, as it may seem for lack of digits, is dropped in silence", rare: true,
	},
	{
		readers: "expfmt", format: "text", outcome: otherSamples,
		when: func(d *disagreement) bool {
			return d.missing != nil && expfmtGathers(d, d.missing) || d.extra != nil && expfmtGathers(d, d.extra)
		},
		right: bothAre, clause: histograms, why: "samples of a summary or histogram are gathered by their labels: the last timestamp, count and sum is everybody's, counts are whole numbers, and what is no part of them is dropped",
	},
}

// metadataRules are for pages of which all read the same samples.
var metadataRules = []parserRule{
	{
		readers: "textparse", format: "text", outcome: otherMetadata, when: onPage(`^[ \t]*#[ \t]*HELP[ \t]+("([^"\\]|\\.)*"|[^ \t"]+)[ \t]{2,}`),
		right: telltaleIs, clause: lineFormat, why: "any number of blanks separates tokens; it takes those before a help text, but for one, for a part of it",
	},
	{
		readers: "textparse python", format: "text", outcome: otherMetadata, when: onPage(`^[ \t]*#(HELP|TYPE)[ \t]`),
		right: telltaleIs, clause: comments, why: "HELP and TYPE are tokens behind the hash, with blanks between or without", rare: true,
	},
	{
		readers: "textparse", format: "text", outcome: otherMetadata, when: onPage(`^[ \t]*#.*\x00`),
		right: telltaleIs, clause: comments, why: "its lexer passes over NUL bytes in comments", rare: true,
	},
	{
		readers: "python", format: "text", outcome: otherMetadata, when: onPage(oddComment),
		right: telltaleIs, clause: comments, why: "what is not HELP or TYPE right behind the hash and blanks is a comment; it takes the second token for the word", rare: true,
	},
}

// oddComment is a comment whose second token, as Python has it, is a keyword.
const oddComment = `^\s*#(\S+\s+|[\s\x{a0}]*[\r\x{a0}][\s\x{a0}]*)(HELP|TYPE)|^\s*#\s*(HELP|TYPE)[\r\x{a0}]`

// longExponent is a timestamp that has an exponent behind its ninth decimal.
const longExponent = ` [0-9.+-]+(?:[eE][-+]?[0-9]+)? -?[0-9]\.[0-9]{9,}[eE][-+]?[0-9]+( #.*)?$`

// onCreated reports whether it is a time of creation that is not the same, by
// less than a nanosecond.
func onCreated(d *disagreement) bool {
	if d.missing == nil || d.extra == nil || !strings.HasSuffix(d.missing.name, "_created") {
		return false
	}
	off := d.missing.value - d.extra.value
	return -1e-9 < off && off < 1e-9
}

var gathered = regexp.MustCompile(`^[ \t]*#[ \t]*TYPE[ \t]+(.*?)[ \t]+(?:summary|histogram)[ \t]*$`)

// expfmtGathers reports whether a sample belongs to a family that the page
// types as a summary or histogram.
func expfmtGathers(d *disagreement, s *readSample) bool {
	for line := range strings.SplitSeq(d.page, "\n") {
		match := gathered.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		name := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\"`, `"`).Replace(strings.Trim(match[1], `"`))
		switch suffix, ok := strings.CutPrefix(s.name, name); suffix {
		case "", "_sum", "_count", "_bucket":
			if ok {
				return true
			}
		}
	}
	return false
}
