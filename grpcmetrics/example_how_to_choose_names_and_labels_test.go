package grpcmetrics_test

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"telltale"
	"telltale/grpcmetrics"
)

// families prints the names of the families that a server with the options has.
func families(opts ...grpcmetrics.Option) {
	reg := telltale.NewRegistry()
	served, err := grpcmetrics.NewServer(append(opts, grpcmetrics.In(reg))...)
	if err != nil {
		fmt.Println(err)
		return
	}
	server := grpc.NewServer(served.Options()...)
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	served.Create(server) // the series of all methods, before the first call
	page, err := telltale.GenerateLatest(reg)
	if err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(string(page)) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			fmt.Print(name)
		}
	}
}

// Programs that come from go-grpc-middleware keep the names of their dashboards and alerts.
func ExampleWithMiddlewareNames() {
	families(grpcmetrics.WithMiddlewareNames())
	// Output:
	// grpc_server_in_flight_calls gauge
	// grpc_server_started_total counter
	// grpc_server_handled_total counter
	// grpc_server_msg_received_total counter
	// grpc_server_msg_sent_total counter
	// grpc_server_panics_total counter
	// grpc_server_handling_seconds histogram
}

// Options of all instruments: here a namespace. WithDurations has those of the histograms.
func ExampleWithInstruments() {
	families(grpcmetrics.WithInstruments(telltale.WithNamespace("shop")),
		grpcmetrics.WithDurations(telltale.WithBuckets(0.01, 0.1, 1)))
	// Output:
	// shop_grpc_server_in_flight_calls gauge
	// shop_grpc_server_started_total counter
	// shop_grpc_server_handled_total counter
	// shop_grpc_server_messages_received_total counter
	// shop_grpc_server_messages_sent_total counter
	// shop_grpc_server_panics_total counter
	// shop_grpc_server_duration_seconds histogram
}

type traceKey struct{}

// Exemplars lead from a slow call to its trace. The function gets the call's context.
func ExampleWithExemplars() {
	_, err := grpcmetrics.NewServer(grpcmetrics.In(telltale.NewRegistry()), grpcmetrics.WithMaxMethods(100),
		grpcmetrics.WithExemplars(func(ctx context.Context) map[string]string {
			id, ok := ctx.Value(traceKey{}).(string)
			if !ok {
				return nil // a call without a trace
			}
			return map[string]string{"trace_id": id}
		}))
	fmt.Println(err)
	// Output: <nil>
}
