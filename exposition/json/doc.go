// Package json writes and reads families in JSON, for programs that inspect
// metrics and for comparing pages of different formats: equal families have the
// same JSON, whatever format they were read from.
//
// A page is an array of families in the order of the input, each with its
// samples as in the text formats:
//
//	[{"name": "requests", "type": "counter", "help": "Requests served.", "unit": "", "samples": [
//	  {"name": "requests_total", "labels": {"code": "200"}, "value": "17.0", "timestamp": "123.456",
//	   "exemplars": [{"labels": {"trace_id": "a"}, "value": "0.5", "timestamp": "123.4"}]}]}]
//
// Names are not escaped. Types are the words of OpenMetrics. Values are strings,
// spelled as in the text formats ("17.0", "1e+06", "+Inf", "NaN"); timestamps
// are decimal seconds with all digits that are known. Labels keep their order.
// Timestamp, exemplars and native histogram are left out if the sample has none;
// every other member is always present. Exemplars are sorted, the newest first.
//
// A native histogram is a member of the sample that has its family's name and
// whose value is the count:
//
//	"native_histogram": {"schema": 3, "zero_threshold": "1e-128", "zero_count": "2.0", "count": "9.0", "sum": "5.5",
//	  "positive_spans": [{"offset": 0, "length": 2}], "positive_buckets": ["3.0", "4.0"],
//	  "negative_spans": [], "negative_buckets": [], "custom_bounds": [], "float": false, "exemplars": []}
//
// Buckets are absolute counts, one for each bucket that the spans cover (see
// [model.NativeHistogram]). Custom bounds are those of schema -53.
//
// The package has the name of one in the standard library; a file that needs
// both imports one of them under another name.
package json
