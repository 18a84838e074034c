package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/compliance/remotewrite/sender"

	"telltale"
	"telltale/exposition"
	"telltale/model"
	"telltale/push/remotewrite"
)

// agent scrapes a target and sends what it has, over one connection, as an agent does:
// with how the scrape went.
type agent struct{}

func (agent) Name() string { return "telltale" }

func (agent) Run(ctx context.Context, o sender.Options) error {
	version := remotewrite.Version2
	if o.RemoteWriteMessage == remote.WriteV1MessageType {
		version = remotewrite.Version1
	}
	reg := telltale.NewRegistry()
	up := telltale.Must(telltale.NewGauge("up", "Whether the target was scraped.", telltale.In(reg)))
	families := telltale.Must(telltale.NewGauge("scrape_families_scraped", "How many families the target had.", telltale.In(reg)))
	up.Set(1)
	families.Set(3)
	scraped := telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		return scrapeTo(ctx, "http://"+o.ScrapeTargetHostPort+"/metrics", emit)
	})
	if err := reg.Register(scraped); err != nil {
		return err
	}
	s, err := remotewrite.NewSender(reg, o.RemoteWriteEndpointURL, remotewrite.WithShards(1), remotewrite.WithVersion(version),
		remotewrite.WithInterval(time.Second), remotewrite.WithFlushTimeout(time.Second),
		remotewrite.WithLabels(map[string]string{"job": o.ScrapeTargetJobName, "instance": o.ScrapeTargetHostPort}))
	if err != nil {
		return err
	}
	_ = s.Run(ctx) // the receiver closes while requests are under way
	return nil
}

// scrapeTo emits the families of a page.
func scrapeTo(ctx context.Context, url string, emit func(*model.Family) error) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	format, ok := exposition.FormatOf(a.Header.Get("Content-Type"))
	if !ok {
		return fmt.Errorf("the target answers %q", a.Header.Get("Content-Type"))
	}
	for p := exposition.NewParser(a.Body, format); ; {
		f, err := p.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = emit(f)
		}
		if err != nil {
			return err
		}
	}
}

// The sender passes the tests that Prometheus has for senders of remote write. Each of
// them is of requests: without one, a test passes that looks at all of none.
func TestRemoteWriteCompliance(t *testing.T) {
	tests := sender.ComplianceTests()
	for i := range tests {
		test := &tests[i]
		validate := test.Validate
		test.Validate = func(t *testing.T, res sender.ReceiverResult) {
			if len(res.Requests) == 0 {
				t.Fatal("no request came")
			}
			if validate != nil {
				validate(t, res)
			}
		}
	}
	sender.RunTests(t, agent{}, tests)
}
