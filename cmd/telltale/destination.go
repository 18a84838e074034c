package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	receiver "telltale/internal/endpoint"
	"telltale/push"
)

// The kinds of destinations.
const (
	byRemoteWrite = "remotewrite"
	byOTLP        = "otlp"
	byPushgateway = "pushgateway"
	byTextfile    = "textfile"
)

var destinationKinds = []string{byRemoteWrite, byOTLP, byPushgateway, byTextfile}

// destination is where metrics are sent: KIND+URL, or for a textfile its path.
type destination struct{ kind, at string }

// UnmarshalText is called by kong. Its errors do not show the text, which may have a
// password.
func (d *destination) UnmarshalText(text []byte) error {
	kind, at, _ := strings.Cut(string(text), "+")
	switch {
	case !slices.Contains(destinationKinds, kind):
		return fmt.Errorf("it should look like remotewrite+URL, and begin with one of %s", strings.Join(destinationKinds, ", "))
	case at == "":
		return fmt.Errorf("there is nothing behind %s+", kind)
	case kind != byTextfile:
		if _, err := new(receiver.Endpoint).SetAddress(at); err != nil {
			return fmt.Errorf("behind %s+, %w", kind, err)
		}
	}
	*d = destination{kind, at}
	return nil
}

// String names the destination, without a password and a query.
func (d *destination) String() string {
	at := d.at
	if d.kind != byTextfile {
		if !strings.Contains(at, "://") {
			at = "http://" + at
		}
		u, err := url.Parse(at)
		if err != nil {
			return d.kind
		}
		at = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	}
	return d.kind + " " + printable(at)
}

// target returns a destination to which the present state is pushed again and again, in
// the group of a job and another label.
func (d *destination) target(job, label, instance string, client *http.Client) (push.Target, error) {
	switch d.kind {
	case byTextfile:
		return push.NewTextfile(d.at), nil
	case byPushgateway:
		opts := []push.Option{push.WithGrouping(label, instance), push.WithExportedLabels(), push.WithGzip()}
		if client != nil {
			opts = append(opts, push.WithClient(client))
		}
		return push.NewGateway(d.at, job, opts...)
	}
	return nil, errors.ErrUnsupported
}
