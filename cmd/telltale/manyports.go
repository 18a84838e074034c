package main

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"telltale"
	"telltale/cmd/telltale/internal/onepage"
)

// manyPorts are the flags of a page that shows those of other processes.
type manyPorts struct {
	Scrape       []endpoint  `help:"Show the page at this URL or Unix socket; may be repeated." sep:"none" placeholder:"URL|unix:PATH"`
	Targets      operand     `help:"Show the pages of the targets in this file, JSON or YAML in Prometheus's form of file_sd; it is read again when it changes." placeholder:"FILE"`
	ScrapeConfig operand     `name:"scrape-config" aliases:"scrape.config.file" help:"Scrape with the TLS, authentication and headers in this file, by the names of Prometheus's scrape_config; it is read again when it changes." needs:"targets" placeholder:"FILE"`
	Sum          bool        `needs:"targets" help:"Add counters, histograms and summaries up over targets, and keep the totals of targets that restart or are away."`
	Gauge        []gaugeRule `help:"With --sum: show the gauges whose whole name matches PATTERN as the sum, max or min of the targets, or each (the default). The first that matches counts; may be repeated." needs:"sum" sep:"none" placeholder:"PATTERN=MODE"`

	TargetTimeout   span `help:"Wait for a target at most this long (${default}), and never so long that the page would be late; 0 for no limit of its own." default:"5s" placeholder:"DURATION"`
	MaxTargets      most `help:"Scrape at most N targets (${default}); 0 for no limit." default:"1000" placeholder:"N"`
	MaxTargetSize   size `help:"Largest page of a target, unpacked (${default})." default:"32MiB" placeholder:"SIZE"`
	MaxTargetSeries most `help:"Most series of a target (${default}); 0 for no limit." default:"100000" placeholder:"N"`
	MaxSeries       most `help:"Most series of all targets together, and of their totals (${default}); 0 for no limit." default:"1000000" placeholder:"N"`
	MaxNative       most `name:"max-native-buckets" help:"With --sum: most native buckets of a histogram (${default}), which becomes coarser beyond; 0 for no limit." default:"160" needs:"sum" placeholder:"N"`
	ScrapesAtOnce   most `help:"Scrape at most N targets at once (${default}); 0 for no limit." default:"16" placeholder:"N"`
}

// asked reports whether there are targets at all, or may be.
func (m *manyPorts) asked() bool { return len(m.Scrape) > 0 || m.Targets != "" }

// check returns the error of a flag that is of no use without others, which its tag
// "needs" says.
func (m *manyPorts) check(parsed *kong.Context) error {
	for _, part := range parsed.Path {
		if part.Flag == nil {
			continue
		}
		switch needs := part.Flag.Tag.Get("needs"); {
		case needs == "targets" && !m.asked():
			return fmt.Errorf("--%s is for --scrape and --targets", part.Flag.Name)
		case needs == "sum" && !m.Sum:
			return fmt.Errorf("--%s is for --sum", part.Flag.Name)
		}
	}
	return nil
}

// what says what is shown.
func (m *manyPorts) what() string {
	var of []string
	if n := len(m.Scrape); n > 0 {
		of = append(of, counted(n, "target"))
	}
	if m.Targets != "" {
		of = append(of, "the targets in "+printable(string(m.Targets)))
	}
	return strings.Join(of, " and of ")
}

// collector returns the collector of the targets, with the workers of a directory, if
// they are not nil, and what this process has itself; and the files that it depends on.
func (m *manyPorts) collector(workers telltale.Collector, own []telltale.Collector, tell func(error)) (telltale.Collector, []*reread, error) {
	list, err := newTargetList(m.Scrape, string(m.Targets), int(m.MaxTargets))
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the targets: %w", err)
	}
	client, err := newScrapeClient(string(m.ScrapeConfig))
	if err != nil {
		return nil, nil, fmt.Errorf("cannot scrape the targets: %w", err)
	}
	p := &ports{
		list:    list,
		atOnce:  unlessZero(m.ScrapesAtOnce),
		most:    int(m.MaxSeries),
		workers: workers,
		own:     own,
		tell:    tell,
		scraping: &scraping{
			client: client, timeout: time.Duration(m.TargetTimeout), maxSize: m.MaxTargetSize, maxSeries: int(m.MaxTargetSeries),
			accept: formatNamed(inProtobuf).accept() + "," + pageFormat{namedFormat{name: auto}}.accept(), // native buckets first
		},
	}
	if m.Sum {
		p.sums = onepage.NewSums(onepage.Limits{
			Series: unlessZero(m.MaxSeries), TargetSeries: unlessZero(m.MaxTargetSeries), Targets: unlessZero(m.MaxTargets),
			NativeBuckets: unlessZero(m.MaxNative),
		}, m.modeOf)
	}
	return p.ready(), []*reread{{path: string(m.Targets), read: list.read}, {path: string(m.ScrapeConfig), read: client.read}}, nil
}

// unlessZero returns the limit, or no limit for 0.
func unlessZero(limit most) int {
	if limit == 0 {
		return math.MaxInt
	}
	return int(limit)
}

// modeOf returns how the values of a gauge are shown.
func (m *manyPorts) modeOf(name string) onepage.Mode {
	for _, rule := range m.Gauge {
		if rule.pattern.MatchString(name) {
			return rule.mode
		}
	}
	return onepage.Each
}

// gaugeRule is how gauges of some names are shown.
type gaugeRule struct {
	pattern *regexp.Regexp
	mode    onepage.Mode
}

// UnmarshalText is called by kong.
func (r *gaugeRule) UnmarshalText(text []byte) error {
	i := strings.LastIndexByte(string(text), '=')
	if i < 0 {
		return fmt.Errorf("%q should look like queue_.*=sum", text)
	}
	switch r.mode = onepage.Mode(text[i+1:]); r.mode {
	case onepage.Each, onepage.Sum, onepage.Largest, onepage.Least:
	default:
		return fmt.Errorf("there is no mode %q; use sum, max, min or each", text[i+1:])
	}
	if _, err := regexp.Compile(string(text[:i])); err != nil {
		return fmt.Errorf("%q is no regular expression: %w", text[:i], err)
	}
	pattern, err := regexp.Compile("^(?s:" + string(text[:i]) + ")$")
	r.pattern = pattern
	return err
}
