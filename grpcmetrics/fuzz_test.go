package grpcmetrics_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"telltale"
	"telltale/exposition"
	"telltale/grpcmetrics"
)

// Whatever the other side says that it calls, traces and answers, the page can be read,
// every call counts once, and methods beyond the limit are "other".
func FuzzCalls(f *testing.F) {
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	f.Add("/test.Shop/Get", parent, uint32(codes.NotFound))
	f.Add("//", "", uint32(99))
	f.Add("no slash", parent+"-more", uint32(0))
	f.Add("/a\xff\x00\"\n/b\\", strings.Repeat("0", 300), uint32(1<<31))
	f.Fuzz(func(t *testing.T, full, traceparent string, code uint32) {
		served, called := telltale.NewRegistry(telltale.WithErrorHook(func(error) {})), telltale.NewRegistry(telltale.WithErrorHook(func(error) {}))
		const most = 3
		server, err := grpcmetrics.NewServer(grpcmetrics.In(served), grpcmetrics.WithMaxMethods(most))
		if err != nil {
			t.Fatal(err)
		}
		client, err := grpcmetrics.NewClient(grpcmetrics.In(called), grpcmetrics.WithMaxMethods(most))
		if err != nil {
			t.Fatal(err)
		}
		answer := func() error { return status.Error(codes.Code(code), "answer") }
		in := metadata.NewIncomingContext(t.Context(), metadata.Pairs("traceparent", traceparent))
		out := metadata.NewOutgoingContext(t.Context(), metadata.Pairs("traceparent", traceparent))
		const calls = 6
		for i := range calls {
			name := strings.Repeat(full, i+1) // other methods, or the same
			_, _ = server.Unary(in, nil, &grpc.UnaryServerInfo{FullMethod: name}, func(context.Context, any) (any, error) { return nil, answer() })
			_ = client.Unary(out, name, nil, nil, nil, func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return answer() })
		}
		for side, reg := range map[string]*telltale.Registry{"server": served, "client": called} {
			sums, series := read(t, reg)
			if n := series["grpc_"+side+"_started_total"]; n > most+1 {
				t.Errorf("the %s has %d methods, want %d and other at most", side, n, most)
			}
			for _, name := range []string{"_started_total", "_handled_total", "_duration_seconds_count"} {
				if got := sums["grpc_"+side+name]; got != calls {
					t.Errorf("grpc_%s%s is %v in all, want %d", side, name, got, calls)
				}
			}
		}
	})
}

// read reads the page of a registry as OpenMetrics, and returns for each name of samples
// their sum and how many series there are.
func read(t *testing.T, reg *telltale.Registry) (sums map[string]float64, series map[string]int) {
	t.Helper()
	var page bytes.Buffer
	encoder := exposition.NewEncoder(&page, exposition.OpenMetrics1)
	if err := errors.Join(reg.Collect(t.Context(), encoder.Encode), encoder.Close()); err != nil {
		t.Fatal(err)
	}
	sums, series = make(map[string]float64), make(map[string]int)
	for parser := exposition.NewParser(&page, exposition.OpenMetrics1); ; {
		f, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return sums, series
		}
		if err != nil {
			t.Fatal(err)
		}
		for s := range f.Samples() {
			sums[s.Name] += s.Value
			series[s.Name]++
		}
	}
}
