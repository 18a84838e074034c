package push_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"telltale"
	"telltale/push"
)

// A program shows, or pushes to another target, how its pushes go.
func ExampleHealth() {
	refused := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if refused {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		refused = false
	}))
	defer server.Close()
	gateway, err := push.NewGateway(server.URL, "backup")
	if err != nil {
		fmt.Println(err)
		return
	}
	reg := telltale.NewRegistry()
	if err := reg.Register(push.Health(gateway)); err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		if err := gateway.Push(context.Background(), reg); err != nil {
			fmt.Println("a push failed")
		}
	}
	for _, result := range []string{"success", "failure"} {
		n, _ := reg.SampleValue("telltale_push_total", map[string]string{"target": server.URL + "/metrics/job/backup", "result": result})
		fmt.Println(result, n)
	}
	// Output:
	// a push failed
	// success 2
	// failure 1
}

// A page of other processes has a label that the gateway gives the group.
func ExampleWithExportedLabels() {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Print(string(body))
	}))
	defer server.Close()
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewGaugeVec("up", "Whether a job runs.", []string{"job"}, telltale.In(reg))).With("shop").Set(1)

	gateway, err := push.NewGateway(server.URL, "edge", push.WithExportedLabels())
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := gateway.Push(context.Background(), reg); err != nil {
		fmt.Println(err)
	}
	// Output:
	// # HELP up Whether a job runs.
	// # TYPE up gauge
	// up{exported_job="shop"} 1.0
}
