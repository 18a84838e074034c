// Package exposition joins the wire formats of metrics. A [Format] is a wire
// format with its version and its escaping scheme; [Negotiate] finds it from an
// HTTP Accept header, [FormatOf] from a Content-Type; [NewEncoder] writes it,
// [NewParser] reads it. Each format has a package of its own, with a scanner of
// single lines or series too; the packages of formats do not import each other.
//
// # Lenient reading
//
// Parsers hold a page to the rules of its format. With [WithLenient], the
// parsers of the text formats accept common mistakes of exporters and read them
// as follows:
//
//	what is wrong                                  it is read as
//	no "# EOF", or lines behind it                 a comment
//	no line feed at the end of the page            a whole line
//	carriage returns at the ends of lines          nothing
//	a byte order mark at the beginning             nothing
//	bytes that are not UTF-8                       U+FFFD
//	blank lines, blanks before and behind tokens   nothing
//	comments, also behind a sample                 nothing
//	HELP, TYPE or UNIT that cannot be read         a comment
//	metadata behind samples, or far from them      metadata of the family
//	families in pieces, samples in any order       one family, where it is first named
//	a second HELP, TYPE or UNIT                    nothing: the first counts
//	a TYPE in capitals                             the type
//	a TYPE that is none                            unknown
//	a type, UNIT or exemplar that text lacks       what OpenMetrics has
//	a counter without "_total", or named with it   a counter
//	an info named with "_info"                     an info
//	an unknown escape                              the backslash itself
//	a comma behind the last label                  nothing
//	names without the quotes that they need        names
//	a quoted metric name behind labels             the name
//	text timestamps with fraction or exponent      milliseconds
//	an exemplar where none may be                  an exemplar on any value, else nothing
//	an exemplar without the timestamp it needs     an exemplar
//	values and labels that break rules of a type   loose samples, or what they say
//	repeated series                                both
//
// Other mistakes remain errors: names, numbers and labels that cannot be read,
// and composite values of OpenMetrics 2.0 that do not fit the type of their
// family. With [WithAllErrors] a parser goes on after them.
package exposition
