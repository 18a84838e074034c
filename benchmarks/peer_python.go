package main

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// pythonPeer is Python's client, prometheus_client, in a process of its own. Its
// PYTHONPATH may lead to another version than the one that is installed.
type pythonPeer struct{}

//go:embed peer_python.py
var pythonProgram string

// python is an interpreter that has the client.
type python struct {
	path              string
	language, version string // of the interpreter and of the client
	layout            pythonLayout
}

// findPython finds the interpreter, if there is one.
var findPython = sync.OnceValues(func() (found python, ok bool) {
	for _, path := range []string{"python3", "/usr/bin/python3"} {
		out, err := exec.Command(path, "-c", pythonProgram, "about").Output()
		if err != nil {
			continue
		}
		found.path = path
		if n, _ := fmt.Sscan(string(out), &found.language, &found.layout, &found.version); n == 3 {
			return found, true
		}
	}
	return python{}, false
})

func (pythonPeer) name() string { return pythonName }

func (p pythonPeer) prepare(t task) (*subject, error) {
	if !t.kind.shared() {
		return nil, errNotOffered
	}
	interpreter, ok := findPython()
	if !ok {
		return nil, errNotOffered
	}
	switch t.kind {
	case pythonFiles:
		return p.merging(interpreter, t)
	case storedCounters:
		return p.writing(interpreter, "counter", counterName(0), t)
	case storedHistograms:
		return p.writing(interpreter, "histogram", histogramName, t)
	default:
		return nil, errNotOffered
	}
}

// merging has processes merge the task's files, all of them anew each time.
func (pythonPeer) merging(interpreter python, t task) (*subject, error) {
	dir, err := pythonDirectory(t, interpreter.layout)
	if err != nil {
		return nil, err
	}
	standing, err := interpreter.startMerging(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &subject{
		collector: func() (func() (int, error), error) {
			return func() (int, error) {
				samples, _, err := standing.merge()
				return samples, err
			}, nil
		},
		growth: func() (float64, error) {
			other, err := interpreter.startMerging(dir)
			if err != nil {
				return 0, err
			}
			_, grown, err := other.merge()
			return grown, errors.Join(err, other.end())
		},
		close: func() error { return errors.Join(standing.end(), os.RemoveAll(dir)) },
	}, nil
}

// merging is a process that merges a directory when it is asked.
type merging struct {
	command *exec.Cmd
	ask     io.WriteCloser
	answers *bufio.Reader
}

func (p python) startMerging(dir string) (*merging, error) {
	m := &merging{command: exec.Command(p.path, "-c", pythonProgram, "merge", dir)}
	m.command.Stderr = os.Stderr
	var err error
	if m.ask, err = m.command.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := m.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	m.answers = bufio.NewReader(output)
	if err := m.command.Start(); err != nil {
		return nil, err
	}
	if _, err := m.answers.ReadString('\n'); err != nil { // it is ready
		return nil, errors.Join(err, m.end())
	}
	return m, nil
}

// merge has the process merge once. It tells by how many bytes it has grown.
func (m *merging) merge() (samples int, grown float64, err error) {
	if _, err := io.WriteString(m.ask, "\n"); err != nil {
		return 0, 0, err
	}
	_, err = fmt.Fscanln(m.answers, &samples, &grown)
	return samples, grown, err
}

func (m *merging) end() error { return errors.Join(m.ask.Close(), m.command.Wait()) }

// writing has a process count in the task's series and leave its files.
func (pythonPeer) writing(interpreter python, kind, name string, t task) (*subject, error) {
	dir, err := inMemory()
	if err != nil {
		return nil, err
	}
	var input strings.Builder
	fmt.Fprintln(&input, name, strings.Join(labelNames, " "))
	for _, values := range labelSets(t.series) {
		fmt.Fprintln(&input, strings.Join(values[:], " "))
	}
	command := exec.Command(interpreter.path, "-c", pythonProgram, "write", kind)
	command.Env = append(os.Environ(), "PROMETHEUS_MULTIPROC_DIR="+dir)
	command.Stdin, command.Stderr = strings.NewReader(input.String()), os.Stderr
	if err := command.Run(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &subject{stored: dir, close: func() error { return os.RemoveAll(dir) }}, nil
}
