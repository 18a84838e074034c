package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"telltale/internal/freeport"
)

// A scraper is a real Prometheus with a directory of its own on a loopback port.
type scraper struct {
	*process
	base string
}

const scrapeJob = "demo"

// startPrometheus starts Debian's Prometheus, which scrapes the target every five
// seconds, and waits until it is ready. Features are switched on beside exemplars.
func startPrometheus(t *testing.T, target, path string, features ...string) *scraper {
	t.Helper()
	program := requireProgram(t, "prometheus", "prometheus")
	return runPrometheus(t, program, fmt.Sprintf(`global:
  scrape_interval: 5s
  scrape_timeout: 5s
scrape_configs:
  - job_name: %s
    metrics_path: %s
    static_configs:
      - targets: [%q]
`, scrapeJob, path, target), features...)
}

// runPrometheus starts a Prometheus with a configuration.
func runPrometheus(t *testing.T, program, configuration string, features ...string) *scraper {
	t.Helper()
	return runPrometheusWith(t, program, configuration, "--enable-feature="+strings.Join(append([]string{"exemplar-storage"}, features...), ","))
}

// runPrometheusWith starts a Prometheus with a configuration and more arguments.
func runPrometheusWith(t *testing.T, program, configuration string, args ...string) *scraper {
	t.Helper()
	directory := t.TempDir()
	config := filepath.Join(directory, "prometheus.yml")
	if err := os.WriteFile(config, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		address := freeport.Address(t)
		p := &scraper{base: "http://" + address}
		p.process = start(t, "prometheus", exec.CommandContext(t.Context(), program, append([]string{
			"--config.file=" + config,
			"--storage.tsdb.path=" + filepath.Join(directory, "data"),
			"--web.listen-address=" + address,
			"--web.enable-remote-write-receiver",
			"--log.level=debug", // samples that are refused are told at this level only
		}, args...)...))
		taken := false
		p.await(t, "to be ready", func(ctx context.Context) bool {
			taken = strings.Contains(p.output.String(), "address already in use")
			_, err := get(ctx, p.base+"/-/ready", "")
			return err == nil || taken
		})
		if !taken {
			return p
		}
		_ = p.stop(syscall.SIGTERM) // another program got the address; this one ends with an error
	}
	t.Fatal("no address stays free for as long as Prometheus takes to listen on it")
	return nil
}

// get returns the body of a page.
func get(ctx context.Context, address, accept string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", address, response.Status, body)
	}
	return body, err
}

// query asks the HTTP API and puts the data of the answer into data.
func (p *scraper) query(ctx context.Context, path string, parameters map[string]string, data any) error {
	values := url.Values{}
	for name, value := range parameters {
		values.Set(name, value)
	}
	body, err := get(ctx, p.base+path+"?"+values.Encode(), "")
	if err != nil {
		return err
	}
	var answer struct {
		Status   string
		Data     json.RawMessage
		Warnings []string
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	if answer.Status != "success" || len(answer.Warnings) > 0 {
		return fmt.Errorf("%s %v: %s", path, parameters, body)
	}
	return json.Unmarshal(answer.Data, data)
}

// number evaluates an expression to one number; false if it has another result.
func (p *scraper) number(ctx context.Context, expression string) (float64, bool) {
	var data struct {
		Result []struct{ Value [2]any }
	}
	if err := p.query(ctx, "/api/v1/query", map[string]string{"query": expression}, &data); err != nil || len(data.Result) != 1 {
		return 0, false
	}
	text, _ := data.Result[0].Value[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}

// scrapeAt returns what is stored of the scrape of that time, by series.
func (p *scraper) scrapeAt(t *testing.T, at float64) map[string]float64 {
	t.Helper()
	var data struct {
		Result []struct {
			Metric map[string]string
			Values [][2]any
		}
	}
	err := p.query(t.Context(), "/api/v1/query", map[string]string{
		"query": fmt.Sprintf("{job=%q}[1s]", scrapeJob),
		"time":  strconv.FormatFloat(at, 'f', 3, 64),
	}, &data)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, series := range data.Result {
		name := series.Metric["__name__"]
		for _, mine := range []string{"__name__", "job", "instance"} {
			delete(series.Metric, mine)
		}
		for _, value := range series.Values {
			when, _ := value[0].(float64)
			text, _ := value[1].(string)
			if v, err := strconv.ParseFloat(text, 64); err == nil && sameMillisecond(when, at) {
				found[seriesKey(name, series.Metric)] = v
			}
		}
	}
	return found
}

func sameMillisecond(a, b float64) bool { return int64(a*1000+0.5) == int64(b*1000+0.5) }

// seriesKey identifies a series. To Prometheus a label without a value is none.
func seriesKey(name string, labels map[string]string) string {
	labels = maps.Clone(labels)
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
	return name + labelText(labels)
}

// scrapeAfter waits for a scrape that began after a moment and returns its time.
func (p *scraper) scrapeAfter(t *testing.T, moment time.Time) float64 {
	t.Helper()
	const aligned = 0.005 // Prometheus moves times of scrapes by up to 2 ms
	after := float64(moment.UnixMilli())/1000 + aligned
	var at float64
	p.await(t, "to scrape", func(ctx context.Context) bool {
		last, ok := p.number(ctx, fmt.Sprintf("timestamp(up{job=%q})", scrapeJob))
		at = last
		return ok && last > after
	})
	return at
}

// storedExemplar is an exemplar with its series.
type storedExemplar struct {
	series map[string]string
	labels map[string]string
	value  float64
	at     float64 // in seconds
}

func (p *scraper) exemplars(ctx context.Context, since time.Time) ([]storedExemplar, error) {
	var data []struct {
		SeriesLabels map[string]string
		Exemplars    []struct {
			Labels    map[string]string
			Value     string
			Timestamp float64
		}
	}
	err := p.query(ctx, "/api/v1/query_exemplars", map[string]string{
		"query": `{job=~".+"}`,
		"start": strconv.FormatInt(since.Unix(), 10),
		"end":   strconv.FormatInt(time.Now().Unix()+1, 10),
	}, &data)
	var all []storedExemplar
	for _, series := range data {
		for _, e := range series.Exemplars {
			v, parseErr := strconv.ParseFloat(e.Value, 64)
			if parseErr != nil {
				return nil, parseErr
			}
			all = append(all, storedExemplar{series.SeriesLabels, e.Labels, v, e.Timestamp})
		}
	}
	return all, err
}

// complaints returns the lines of the server's log that report problems: any
// warning, and the words for refused samples at debug level.
func (p *scraper) complaints() []string {
	var found []string
	for line := range strings.Lines(p.output.String()) {
		said := strings.ToLower(line) // the case of levels is another from version 3 on
		for _, sign := range []string{"level=warn", "level=error", "append failed", "scrape failed", "out of order", "duplicate sample", "out of bounds"} {
			if strings.Contains(said, sign) {
				found = append(found, strings.TrimSpace(line))
				break
			}
		}
	}
	return found
}
