package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// peer is a library under measurement, behind one adapter file.
type peer interface {
	// name is what the table and -peers call it.
	name() string
	// prepare sets up what the task works on, or answers errNotOffered.
	prepare(t task) (*subject, error)
}

// errNotOffered is the error of a peer or subject that cannot do the work.
var errNotOffered = errors.New("not offered")

// The names by which rows refer to peers.
const (
	telltaleName     = "telltale"
	clientGolangName = "client_golang"
	victoriaName     = "vm"
	prebuiltName     = "vm-prebuilt" // vm, given the complete name of the series
	otelName         = "otel"
	prometheusName   = "prometheus" // the server's own parsers
	floorName        = "floor"
	arenaName        = "floor-arena"    // all series text in one arena beside an array of words
	shardedName      = "floor-sharded"  // one padded word for each goroutine
	tableName        = "floor-table"    // lookups in an open-addressing table
	tmpfsName        = "telltale-tmpfs" // telltale, counting in a store that is in memory
	diskName         = "telltale-disk"  // the same on a disk
	pythonName       = "python"         // Python's client, in a process of its own
)

// roster lists all peers, in the order they are measured and printed.
func roster() []peer {
	return []peer{
		telltalePeer{},
		storePeer{tmpfsName, inMemory},
		storePeer{diskName, onDisk},
		clientGolangPeer{},
		victoriaPeer{},
		prebuiltPeer{},
		otelPeer{},
		prometheusPeer{},
		pythonPeer{},
		floorPeer{},
		arenaPeer{},
		tablePeer{},
		shardedPeer{},
	}
}

// rivals are the peers than which telltale must never be slower. The floors and
// vm-prebuilt do less than the whole work and are only for comparison.
var rivals = []string{clientGolangName, victoriaName, otelName, prometheusName, pythonName}

// notSlower is the ratio to a rival that counts as equal: figures of one process
// vary by a few percent.
const notSlower = 1.05

// choosePeers picks the peers of a comma-separated list; empty means all.
func choosePeers(all []peer, list string) ([]peer, error) {
	if list == "" {
		return all, nil
	}
	var chosen []peer
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(all, func(p peer) bool { return p.name() == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("unknown peer %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// kind is a kind of work.
type kind int

const (
	counterInc         kind = iota // Inc of one counter
	counterAdd                     // Add(0.5) to one counter
	gaugeSet                       // Set of one gauge
	gaugeAdd                       // Add(1.5) to one gauge
	labelledInc                    // Inc through three label values by position
	labelledTypedInc               // Inc through three label values in a struct, if the library has that
	labelledLimitedInc             // labelledInc in a family with a series limit and declared values of a label
	expiringInc                    // counterInc of a series with labels that leaves when it is idle
	expiringSet                    // gaugeSet of such a series
	newSeries                      // first Inc of a series of three labels
	histogramObserve               // Observe into 11 classic buckets
	summaryObserve                 // Observe into a count and a sum
	nativeObserve                  // Observe into native (exponential) buckets alone
	quantileObserve                // Observe into a summary with three quantiles of ten minutes
	registration                   // Register and Unregister of one counter
	counters                       // a registry of counters with three labels, to be scraped
	ruled                          // the same through a hundred rules, none of which is about their labels
	ruledByLabels                  // the same through rules that read the labels of each series
	joined                         // two registries of such counters under views, whose families join
	separate                       // the same with other names, which do not
	gauges                         // a registry of gauges with three labels, every other of which holds a fraction
	histograms                     // a registry of histograms with three labels, to be scraped
	natives                        // a registry of native histograms with three labels and 20 used buckets each
	writtenCounters                // a registry of counters with three labels, to be sent by remote write
	writtenInShards                // the same over four connections
	requestServed                  // a request served by a handler behind the library's middleware
	bridged                        // a registry of client_golang with counters, on a page of the library
	textPage                       // a page of counters with three labels in text, to be parsed
	openMetricsPage                // the same in OpenMetrics 1.0
	protobufPage                   // the same in protobuf
	histogramsPage                 // a page of histograms with three labels in protobuf, to be parsed
	sentCounters                   // a registry of counters with three labels, to be sent by OTLP
	sentHistograms                 // the same of histograms
	pythonFiles                    // files of Python's client, of several processes, to be merged
	segments                       // the same series in telltale's segments
	foldedSegments                 // segments of processes that are gone, folded, to be merged
	storedCounters                 // counters with three labels in one process's files, to be weighed
	storedHistograms               // the same of histograms
)

// shared reports whether the work needs processes that count side by side.
func (k kind) shared() bool { return k >= pythonFiles }

// task is work in a certain amount. Rows with equal tasks share their setup.
type task struct {
	kind     kind
	families int // families in the registry
	series   int // series in each family; for newSeries, how many to create; to be merged, of each writer
	writers  int // whose files are merged
	// lifetimes, of a registry of counters, says which others have come and gone
	// before; empty for none.
	lifetimes lifetimes
}

// amount spells the size of a registry or page for the name of a row.
func (t task) amount() string {
	noun := map[kind]string{
		counters: "counters", ruled: "counters", ruledByLabels: "counters", joined: "counters", separate: "counters", bridged: "counters", gauges: "gauges", histograms: "histograms", natives: "natives",
		writtenCounters: "counters", writtenInShards: "counters", sentCounters: "counters", sentHistograms: "histograms",
		textPage: "lines", openMetricsPage: "lines", protobufPage: "counters", histogramsPage: "histograms",
	}[t.kind]
	return noun + "=" + size(t.total())
}

// total is the number of series in all families.
func (t task) total() int { return t.families * t.series }

// subject holds the functions that are measured for a peer. Those that the
// library does not offer are nil.
type subject struct {
	// repeat does the operation n times on behalf of one goroutine; workers
	// are numbered from 0.
	repeat func(worker, n int) error
	// text, openMetrics and protobuf scrape everything in memory.
	text, openMetrics, protobuf func(w io.Writer) error
	// oneName scrapes a single family.
	oneName func(w io.Writer, family string) error
	// send encodes everything and sends it to a receiver that discards it.
	send func() error
	// resend is send where its memory is of interest.
	resend func() error
	// families and series parse the task's page, whole families at once and
	// series by series with names, labels and values; they count the series.
	families, series func() (count int, err error)
	// handler answers scrapes over HTTP.
	handler http.Handler
	// collector sets up what merges the task's files, at its first call with
	// nothing known of them; collecting counts the samples.
	collector func() (collect func() (samples int, err error), err error)
	// growth merges once and tells by how many bytes the process grew meanwhile,
	// where that is not this process.
	growth func() (bytes float64, err error)
	// stored is the directory with the files to be weighed.
	stored string
	// close releases what is left after the garbage collection of the subject.
	close func() error
}

// release closes the subject if there is anything to close.
func (s *subject) release() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}
