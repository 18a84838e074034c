// Package protobuf writes and reads families in the delimited protobuf format of
// Prometheus: MetricFamily messages of client_model's metrics.proto, each after
// its length as a varint. The format holds native histograms and created times.
//
// A counter's family has the name of its samples, "requests_total", and an info
// is a gauge "x_info", because readers take the name of a family for that of its
// samples. A type that the format lacks is written as the nearest: a state set
// as a gauge with a label for its states, and the parts of an incomplete
// histogram or summary as untyped families of their own. A native histogram with
// custom buckets is written as a classic one, since the format has no field for
// its bounds. Counts are whole numbers unless a count of the histogram has a
// fraction.
//
// A family is one message unless the message would be larger than 1 MiB. A
// message must be in memory as a whole, both for the writer and for the reader,
// because its length comes first, and that memory must not grow with the number
// of series. The rest follows in further messages with the same name, help, type
// and unit. Prometheus reads each message by itself and finds the same series;
// [Parser] joins them. Readers that keep one message for each name lose all but
// the last.
//
// There are two ways to read. A [Parser] returns whole families. A [Scanner]
// returns series after series, each valid until the next call, and allocates
// only when bucket bounds change. An absent field is zero, except the count or
// sum of a histogram or summary, which is then not known.
package protobuf
