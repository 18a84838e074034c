package e2e

import (
	"errors"
	"fmt"
	"io"

	prometheus "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// readTextparse reads a page with the scanner of the Prometheus server. It
// knows no families: what follows a family's metadata is taken for its samples.
func readTextparse(page []byte, d dialect) (reading, error) {
	parser, err := textparse.New(page, d.format.ContentType(), nil, textparse.ParserOptions{})
	if err != nil {
		return nil, err
	}
	var found reading
	family := func(name []byte) *readFamily {
		if len(found) == 0 || found[len(found)-1].name != string(name) {
			found = append(found, readFamily{name: string(name)})
		}
		return &found[len(found)-1]
	}
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		switch entry {
		case textparse.EntryHelp:
			name, help := parser.Help()
			family(name).help = string(help)
		case textparse.EntryType:
			name, typ := parser.Type()
			family(name).typ = string(typ)
		case textparse.EntryUnit:
			name, unit := parser.Unit()
			family(name).unit = string(unit)
		case textparse.EntrySeries:
			if len(found) == 0 {
				return nil, errors.New("a sample comes before all metadata")
			}
			last := &found[len(found)-1]
			last.samples = append(last.samples, sampleOf(parser))
		case textparse.EntryComment:
		default:
			return nil, fmt.Errorf("unexpected entry %d", entry)
		}
	}
}

func sampleOf(parser textparse.Parser) readSample {
	var series labels.Labels
	parser.Labels(&series)
	_, at, value := parser.Series()
	s := readSample{value: value, at: milliseconds(at), labels: series.Map()}
	s.name = s.labels[prometheus.MetricNameLabel]
	delete(s.labels, prometheus.MetricNameLabel)
	var e exemplar.Exemplar
	if parser.Exemplar(&e) {
		s.exemplar = &readExemplar{labels: e.Labels.Map(), value: e.Value}
		if e.HasTs {
			s.exemplar.at = milliseconds(&e.Ts)
		}
	}
	return s
}

func milliseconds(ms *int64) *moment {
	if ms == nil {
		return nil
	}
	return &moment{ns: nanoseconds(*ms, 1000)}
}
