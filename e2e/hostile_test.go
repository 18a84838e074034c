package e2e

import "strings"

// What names and texts are made of. Whatever can confuse a reader of lines is
// here: quotes, escapes, separators, comment signs, line ends of other
// alphabets, bytes that are not UTF-8.

// plainWords may stand in a legacy name, and some of them end like a sample.
var plainWords = []string{
	"requests", "http_latency", "up", "X9", "hidden_", "job:rate:sum", "queue", "a__b", "x_",
	"x_count", "x_sum", "x_bucket", "x_info", "x_created", "x_gcount", "inf", "nan", "le", "U__x",
}

// utf8Words are names outside the legacy set.
var utf8Words = []string{
	"my.metric", "http.server.duration", "花火", "1st", "with space", `quo"te`, `back\slash`, "new\nline", `\n`,
	"tab\there", "{brace}", "a,b", "#hash", "x=y", "é", "🎉", "a.b_c", "trailing\\", "\u2028", "-", "a:b.c",
}

var plainLabels = []string{"method", "code", "x_", "le", "quantile", "a_b", "Path", "U__y", "job"}

var utf8Labels = []string{
	"http.status", "a.b", "a/b", "a:b", "日本", "1x", "with space", `quo"te`, `back\slash`, "new\nline", "x=y", "a,b", "}", "é",
}

// texts are label values, states and pieces of help.
var texts = []string{
	"", "GET", "/api/v1", "ü,=}#", `"`, `""`, `\`, `\\`, `\n`, "\n", "a\nb\\c\"d", "}", "{", "} 1.0", ` # {a="b"} 1 2`, " # ", "# EOF",
	"# EOF\n", ",", "=", `x="y"`, " leading", "trailing ", "\tTabs\t", "\r", "a\r\nb", "\x0b\x0c", "\u0085", "\u00a0", "\u2028\u2029",
	"\ufeff", "\x7f", "\x01", "花火", "🎉", "\xff", "a\xc3(\xf0\x9f", "\ufffd", "e\u0301", strings.Repeat("long ", 40), "+Inf", "NaN", "1.0",
	`trailing\`, `"quoted"`, `a\"b`, "\u202eright to left",
}

// NUL is a world of its own to a lexer written in C's tradition.
const nul = "nul\x00nul"

var units = []string{"seconds", "bytes", "ratio", "my_unit", "grüße", "m.s", "count"}
