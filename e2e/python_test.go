package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"sync"
	"testing"
)

// pythonReader is one Python process that reads page after page.
type pythonReader struct {
	mu     sync.Mutex
	input  io.WriteCloser
	output *bufio.Scanner
}

// startPython starts the reader, which ends with the test.
func startPython(t *testing.T) *pythonReader {
	t.Helper()
	command := exec.CommandContext(t.Context(), requirePython(t), "testdata/read_page.py")
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		_ = command.Wait() // its end has nothing to say: every page had its answer
	})
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 64<<20)
	return &pythonReader{input: input, output: lines}
}

func (p *pythonReader) read(page []byte, d dialect) (reading, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	request, err := json.Marshal(map[string]any{"openmetrics": d.openMetrics, "page": string(page)})
	if err != nil {
		return nil, err
	}
	if _, err := p.input.Write(append(request, '\n')); err != nil {
		return nil, fmt.Errorf("python is gone: %w", err)
	}
	if !p.output.Scan() {
		return nil, fmt.Errorf("python gave no answer: %w", errors.Join(p.output.Err(), io.ErrUnexpectedEOF))
	}
	var answer struct {
		Error    string
		Families []struct {
			Name, Type, Help, Unit string
			Samples                []struct {
				Name     string
				Labels   map[string]string
				Value    string
				At       *string
				Exemplar *struct {
					Labels map[string]string
					Value  string
					At     *string
				}
			}
		}
	}
	if err := json.Unmarshal(p.output.Bytes(), &answer); err != nil {
		return nil, err
	}
	if answer.Error != "" {
		return nil, errors.New(answer.Error)
	}
	var n pythonNumbers
	var found reading
	for _, f := range answer.Families {
		family := readFamily{name: f.Name, typ: f.Type, help: f.Help, unit: f.Unit}
		for _, s := range f.Samples {
			sample := readSample{name: s.Name, labels: s.Labels, value: n.float(s.Value), at: n.moment(s.At)}
			if e := s.Exemplar; e != nil {
				sample.exemplar = &readExemplar{labels: e.Labels, value: n.float(e.Value), at: n.moment(e.At)}
			}
			family.samples = append(family.samples, sample)
		}
		found = append(found, family)
	}
	return found, n.err
}

// pythonNumbers reads numbers and keeps the first error.
type pythonNumbers struct{ err error }

func (n *pythonNumbers) float(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	n.err = errors.Join(n.err, err)
	return v
}

func (n *pythonNumbers) moment(s *string) *moment {
	if s == nil {
		return nil
	}
	ns, err := strconv.ParseInt(*s, 10, 64)
	if !errors.Is(err, strconv.ErrRange) {
		n.err = errors.Join(n.err, err)
	}
	return &moment{ns: nanoseconds(ns, 1e9)}
}
