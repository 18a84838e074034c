//go:build !race

package grpcmetrics_test

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"telltale"
	"telltale/grpcmetrics"
)

// quietServerStream is the server's side of a stream that does nothing.
type quietServerStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s quietServerStream) Context() context.Context { return s.ctx }
func (quietServerStream) SendMsg(any) error          { return nil }
func (quietServerStream) RecvMsg(any) error          { return nil }

// Calls cost few allocations, and messages of a stream none.
func TestAllocations(t *testing.T) {
	reg := telltale.NewRegistry()
	server, err := grpcmetrics.NewServer(grpcmetrics.In(reg), grpcmetrics.WithMaxMethods(3))
	if err != nil {
		t.Fatal(err)
	}
	client, err := grpcmetrics.NewClient(grpcmetrics.In(reg))
	if err != nil {
		t.Fatal(err)
	}
	const get, chat = "/" + service + "/Get", "/" + service + "/Chat"
	ctx := context.Background()
	traced := metadata.NewIncomingContext(ctx, metadata.Pairs("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"))
	handle := func(context.Context, any) (any, error) { return nil, nil }
	unary := &grpc.UnaryServerInfo{FullMethod: get}
	invoke := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil }
	stream := &grpc.StreamServerInfo{FullMethod: chat, IsClientStream: true, IsServerStream: true}
	var counted grpc.ServerStream
	if err := server.Stream(reg, quietServerStream{ctx: ctx}, stream, func(_ any, s grpc.ServerStream) error { counted = s; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, full := range []string{"/a/b", "/c/d"} { // with which the limit is reached
		_, _ = server.Unary(ctx, nil, &grpc.UnaryServerInfo{FullMethod: full}, handle)
	}
	unknown := &grpc.UnaryServerInfo{FullMethod: "/un/known"}
	for name, tt := range map[string]struct {
		most float64
		f    func()
	}{
		"unary call":                     {1, func() { _, _ = server.Unary(ctx, nil, unary, handle) }},
		"unary call with metadata":       {4, func() { _, _ = server.Unary(traced, nil, unary, handle) }},
		"unary call beyond the limit":    {1, func() { _, _ = server.Unary(ctx, nil, unknown, handle) }},
		"unary call of a client":         {1, func() { _ = client.Unary(ctx, get, nil, nil, nil, invoke) }},
		"message sent, message received": {0, func() { _, _ = counted.SendMsg(nil), counted.RecvMsg(nil) }},
		"stream, without what is in it": {3, func() {
			_ = server.Stream(reg, quietServerStream{ctx: ctx}, stream, func(any, grpc.ServerStream) error { return nil })
		}},
	} {
		got := testing.AllocsPerRun(100, tt.f)
		for range 4 { // a garbage collection in between empties pools
			got = min(got, testing.AllocsPerRun(100, tt.f))
		}
		if got > tt.most {
			t.Errorf("%s: %v allocations, want at most %v", name, got, tt.most)
		}
	}
}
