package grpcmetrics_test

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/test/bufconn"

	"telltale"
	"telltale/grpcmetrics"
)

func Example() {
	reg := telltale.NewRegistry() // or telltale.Default
	served, err := grpcmetrics.NewServer(grpcmetrics.In(reg))
	if err != nil {
		fmt.Println(err)
		return
	}
	server := grpc.NewServer(served.Options()...)
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	served.Create(server) // all series are there from the start

	called, err := grpcmetrics.NewClient(grpcmetrics.In(reg))
	if err != nil {
		fmt.Println(err)
		return
	}
	listener := bufconn.Listen(1 << 16) // in a program: net.Listen
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	conn, err := grpc.NewClient("passthrough:///health", append(called.Options(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = conn.Close() }()
	if _, err := grpc_health_v1.NewHealthClient(conn).Check(context.Background(), &grpc_health_v1.HealthCheckRequest{}); err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"grpc_server_handled_total", "grpc_client_handled_total"} {
		fmt.Println(reg.SampleValue(name, map[string]string{"type": "unary", "service": "grpc.health.v1.Health", "method": "Check", "code": "OK"}))
	}
	// Output:
	// 1 true
	// 1 true
}
