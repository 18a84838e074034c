package remotewrite_test

import (
	"net/http"
	"testing"

	"telltale/model"
	"telltale/push/remotewrite"
)

// A receiver that says to have written more than there is has written all.
func TestWrittenBeyondAll(t *testing.T) {
	for _, text := range []string{"9223372036854775807", "2147483647"} {
		all := func(*http.Request) (*http.Response, error) {
			h := http.Header{"X-Prometheus-Remote-Write-Samples-Written": {text}, "X-Prometheus-Remote-Write-Histograms-Written": {text}}
			return &http.Response{StatusCode: http.StatusNoContent, Header: h, Body: http.NoBody}, nil
		}
		target := must(remotewrite.NewTarget("localhost", remotewrite.WithClient(&http.Client{Transport: transport(all)})))
		if err := target.Push(t.Context(), many(3)); err != nil {
			t.Error(err)
		}
		got := map[string]float64{}
		fail(remotewrite.Health(target).Collect(t.Context(), func(f *model.Family) error {
			for s := range f.Samples() {
				if result, ok := s.Labels.Get("result"); ok && s.Name == "telltale_remote_write_samples_total" {
					got[result] = s.Value
				}
			}
			return nil
		}))
		if got["delivered"] != 3 || got["refused"] != 0 {
			t.Errorf("%s: counted are %v", text, got)
		}
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
