package push_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"telltale"
	"telltale/push"
)

// Add leaves what others have pushed to the group, Push replaces the group, and Delete
// takes it away. Health counts how it went.
func ExampleGateway_Add() {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _, authenticated := r.BasicAuth()
		fmt.Println(r.Method, r.URL.Path, r.Header.Get("Content-Encoding"), authenticated)
	}))
	defer server.Close()

	gateway, err := push.NewGateway(server.URL, "backup",
		push.WithBasicAuth("backup", "secret"), push.WithGzip(), push.WithTimeout(5*time.Second))
	if err != nil {
		fmt.Println(err)
		return
	}
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewGauge("backup_rows", "Rows.", telltale.In(reg))).Set(7)
	ctx := context.Background()
	fmt.Println(errors.Join(gateway.Add(ctx, reg), gateway.Push(ctx, reg), gateway.Delete(ctx)))
	// Output:
	// POST /metrics/job/backup gzip true
	// PUT /metrics/job/backup gzip true
	// DELETE /metrics/job/backup  true
	// <nil>
}

// A refusal says whether the same push may succeed later.
func ExampleStatusError() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	gateway, err := push.NewGateway(server.URL, "backup")
	if err != nil {
		fmt.Println(err)
		return
	}
	var refused *push.StatusError
	if err := gateway.Push(context.Background(), telltale.NewRegistry()); errors.As(err, &refused) {
		fmt.Println(refused.Code, refused.Temporary())
	}
	// Output: 503 true
}
