// Package protobuf writes and reads families in the delimited protobuf format of
// Prometheus: messages MetricFamily of client_model's metrics.proto, each behind
// its length as a varint. It is the format that holds native histograms, and
// created times always.
//
// A counter's family has the name of its samples, "requests_total", and an info
// is a gauge "x_info", as a reader takes the name of a family for that of its
// samples. Where the format knows no type there is the nearest: a state set is a
// gauge with a label for its states, and what a restriction leaves of a family
// is untyped, each kind of sample under its own name. A native histogram of
// custom buckets is a classic one, for whose bounds alone there is a place.
// Counts are whole numbers unless a histogram has a fraction somewhere.
//
// A family is one message unless that would be larger than 1 MiB: as its length
// stands before it, a message has to be in memory as a whole, both where it is
// written and where it is read, and that may not grow with the number of series.
// The rest follows in further messages with the same name, help, type and unit.
// Prometheus takes each message by itself and finds the same series; [Parser]
// puts them together again. Readers that keep one message for each name would
// lose those before the last.
//
// There are two ways to read. A [Parser] returns whole families. A [Scanner]
// returns one series after the other, valid until the next, and allocates only
// where bucket bounds change. What is absent from a message is zero, but a count
// or sum of a histogram or summary that is absent is not there.
package protobuf
