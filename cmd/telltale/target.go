package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"telltale/model"
)

// endpoint is a page of another process: its URL, or unix: and the path of a socket.
type endpoint string

// UnmarshalText is called by kong. Its errors do not repeat the URL, which may have a
// password.
func (e *endpoint) UnmarshalText(text []byte) error {
	*e = endpoint(text)
	if !strings.HasPrefix(string(text), unixPrefix) && !strings.Contains(string(text), "://") {
		return errors.New("it should look like http://127.0.0.1:9100/metrics or unix:/run/shop/metrics.sock")
	}
	_, err := newTarget(string(text), nil)
	return err
}

const unixPrefix = "unix:"

// target is a page that is scraped.
type target struct {
	url      *url.URL
	key      string       // what it is known by: its labels, instance among them
	instance model.Labels // the label instance alone
	labels   model.Labels // the others
}

// name is the target's name in messages.
func (t *target) name() string {
	name, _ := t.instance.Get("instance")
	return name
}

// socketHost is the end of a host that stands for a Unix socket, whose path comes before
// it in hexadecimal digits: connections are kept by host.
const socketHost = ".socket.invalid"

// socketOf returns the path of the socket that a host, perhaps with a port, stands for.
func socketOf(address string) (path string, ok bool) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	digits, ok := strings.CutSuffix(host, socketHost)
	if !ok {
		return "", false
	}
	decoded, err := hex.DecodeString(digits)
	return string(decoded), err == nil
}

// newTarget returns the target at an address: a URL, unix: and a path, or a host and a
// port as in lists of targets. Labels whose names begin with two underscores say how it
// is scraped, as in Prometheus; others become labels of its series. Errors do not repeat
// the address.
func newTarget(address string, labels map[string]string) (*target, error) {
	scheme := labels["__scheme__"]
	if scheme == "" {
		scheme = "http"
	}
	path, unix := strings.CutPrefix(address, unixPrefix)
	if socket := labels["__unix_socket__"]; socket != "" {
		path, unix = socket, true
	}
	u := &url.URL{Scheme: scheme}
	instance := address
	switch {
	case unix && path == "":
		return nil, errors.New("unix: has no path behind it")
	case unix:
		u.Host = hex.EncodeToString([]byte(path)) + socketHost
	case strings.Contains(address, "://"):
		parsed, err := url.Parse(address)
		if err != nil {
			return nil, errors.New("the URL cannot be read")
		}
		u, instance = parsed, ""
	default:
		if strings.ContainsAny(address, "/?#@ ") {
			return nil, errors.New("a target should look like 127.0.0.1:9100, http://127.0.0.1:9100/metrics or unix:/run/shop/metrics.sock")
		}
		u.Host = address
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("the scheme is %.40q; it should be http or https", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("the URL has no host")
	}
	if instance == "" {
		if instance = u.Host; u.Port() == "" {
			instance = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
		}
	}
	u.Fragment = ""
	if path := labels["__metrics_path__"]; path != "" {
		u.Path, u.RawPath = path, ""
	} else if u.Path == "" {
		u.Path = "/metrics"
	}
	query := u.Query()
	own := make(map[string]string, len(labels))
	for name, value := range labels {
		if param, ok := strings.CutPrefix(name, "__param_"); ok {
			query.Set(param, value)
		}
		switch {
		case strings.HasPrefix(name, "__"):
		case !model.ValidName(name) || name == "le" || name == "quantile":
			return nil, fmt.Errorf("%.100q cannot be the label of a target", name)
		case name == "instance":
			instance = value
		case value != "": // which is no label
			own[name] = value
		}
	}
	if len(query) > 0 {
		u.RawQuery = query.Encode()
	}
	t := &target{url: u, labels: model.LabelsOf(own)}
	t.is(instance)
	return t, nil
}

// is makes an instance the target's.
func (t *target) is(instance string) {
	t.instance = model.LabelsOf(map[string]string{"instance": instance})
	t.key = t.instance.Append(t.labels).Sorted().Text()
}

// newTargets returns the targets of the flags, whose instance is the host and port, and
// the path, too, of those whose host and port are the same.
func newTargets(endpoints []endpoint) ([]*target, error) {
	times := make(map[string]int)
	var all []*target
	for _, e := range endpoints {
		t, err := newTarget(string(e), nil)
		if err != nil {
			return nil, err
		}
		times[t.key]++
		all = append(all, t)
	}
	for _, t := range all {
		if times[t.key] > 1 {
			if instance := t.name() + t.url.EscapedPath(); t.url.RawQuery == "" {
				t.is(instance)
			} else {
				t.is(instance + "?" + t.url.RawQuery)
			}
		}
	}
	return all, nil
}

// Limits of a file of targets.
const (
	maxTargetsFile = 16 << 20 // bytes
)

// targetGroup is an element of a file of targets, as Prometheus has them in file_sd.
type targetGroup struct {
	Targets []string          `yaml:"targets"`
	Labels  map[string]string `yaml:"labels"`
}

// readTargets reads a file of targets, JSON or YAML.
func readTargets(path string) ([]*target, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // closing a file that was only read does not matter
	content, err := io.ReadAll(io.LimitReader(file, maxTargetsFile+1))
	if err == nil {
		var all []*target
		if all, err = parseTargets(content); err == nil {
			return all, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", printable(path), err)
}

func parseTargets(content []byte) (all []*target, err error) {
	if len(content) > maxTargetsFile {
		return nil, fmt.Errorf("it has more than %d bytes", maxTargetsFile)
	}
	var groups []targetGroup
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	switch err := decoder.Decode(&groups); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("it is empty; [] says that there are no targets")
	case err != nil:
		return nil, withoutValues(err)
	}
	for i, group := range groups {
		for _, address := range group.Targets {
			t, err := newTarget(address, group.Labels)
			if err != nil {
				return nil, fmt.Errorf("group %d: %w", i+1, err)
			}
			all = append(all, t)
		}
	}
	return all, nil
}
