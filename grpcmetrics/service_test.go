package grpcmetrics_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"telltale"
	"telltale/grpcmetrics"
)

// The service of the tests. What a method does is what its first message says.
const service = "test.Shop"

type message = wrapperspb.StringValue

func do(ctx context.Context, what string) error {
	switch what {
	case "missing":
		return status.Error(codes.NotFound, what)
	case "wrapped":
		return errors.Join(errors.New("more"), status.Error(codes.Aborted, what))
	case "plain":
		return errors.New(what)
	case "strange":
		return status.Error(99, what)
	case "panic":
		panic(what)
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

var desc = grpc.ServiceDesc{
	ServiceName: service, HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Get", Handler: func(srv any, ctx context.Context, dec func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		in := new(message)
		if err := dec(in); err != nil {
			return nil, err
		}
		return interceptor(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/" + service + "/Get"}, func(ctx context.Context, req any) (any, error) {
			return req, do(ctx, req.(*message).GetValue())
		})
	}}},
	Streams: []grpc.StreamDesc{
		{StreamName: "List", ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			in := new(message)
			if err := s.RecvMsg(in); err != nil {
				return err
			}
			for range 3 {
				if err := s.SendMsg(in); err != nil {
					return err
				}
			}
			return do(s.Context(), in.GetValue())
		}},
		{StreamName: "Put", ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			last := new(message)
			for {
				in := new(message)
				if err := s.RecvMsg(in); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					return err
				}
				last = in
			}
			if err := do(s.Context(), last.GetValue()); err != nil {
				return err
			}
			return s.SendMsg(last)
		}},
		{StreamName: "Chat", ClientStreams: true, ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			for {
				in := new(message)
				if err := s.RecvMsg(in); errors.Is(err, io.EOF) {
					return nil
				} else if err != nil {
					return err
				}
				if err := do(s.Context(), in.GetValue()); err != nil {
					return err
				}
				if err := s.SendMsg(in); err != nil {
					return err
				}
			}
		}},
	},
}

// shop is a server and a client that count.
type shop struct {
	server         *grpc.Server
	conn           *grpc.ClientConn
	served, called *telltale.Registry
}

// recovered turns a panic of what is inside into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = status.Error(codes.DataLoss, "panic")
	}
}

// start serves the service. The options are of both sides; serverOpts come first, so
// their interceptors are outside.
func start(t testing.TB, opts []grpcmetrics.Option, serverOpts []grpc.ServerOption, dialOpts ...grpc.DialOption) *shop {
	t.Helper()
	s := &shop{served: telltale.NewRegistry(), called: telltale.NewRegistry()}
	server, err := grpcmetrics.NewServer(append(opts[:len(opts):len(opts)], grpcmetrics.In(s.served))...)
	if err != nil {
		t.Fatal(err)
	}
	client, err := grpcmetrics.NewClient(append(opts[:len(opts):len(opts)], grpcmetrics.In(s.called))...)
	if err != nil {
		t.Fatal(err)
	}
	all := []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
			defer recovered(&err)
			return handler(ctx, req)
		}),
		grpc.ChainStreamInterceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
			defer recovered(&err)
			return handler(srv, ss)
		}),
	}
	s.server = grpc.NewServer(append(append(all, serverOpts...), server.Options()...)...)
	s.server.RegisterService(&desc, new(int))
	server.Create(s.server)
	listener := bufconn.Listen(1 << 16)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.server.Serve(listener) // ends by Stop
	}()
	t.Cleanup(func() { s.server.Stop(); <-served })
	dial := append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
	}, dialOpts...)
	if s.conn, err = grpc.NewClient("passthrough:///shop", append(dial, client.Options()...)...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.conn.Close() }) // some tests have closed it
	return s
}

func (s *shop) get(ctx context.Context, what string) codes.Code {
	return status.Code(s.conn.Invoke(ctx, "/"+service+"/Get", wrapperspb.String(what), new(message)))
}

// stream calls a stream, sends the messages and reads to the end.
func (s *shop) stream(t testing.TB, ctx context.Context, name string, send ...string) codes.Code {
	t.Helper()
	d := &grpc.StreamDesc{ServerStreams: name != "Put", ClientStreams: name != "List"}
	stream, err := s.conn.NewStream(ctx, d, "/"+service+"/"+name)
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range send {
		if err := stream.SendMsg(wrapperspb.String(what)); err != nil {
			break // RecvMsg says why
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Error(err)
	}
	for {
		err := stream.RecvMsg(new(message))
		switch {
		case errors.Is(err, io.EOF) || err == nil && !d.ServerStreams:
			return codes.OK
		case err != nil:
			return status.Code(err)
		}
	}
}

// lines returns the lines of a registry's page that count something and have not
// only buckets and times.
func lines(t testing.TB, reg *telltale.Registry) []string {
	t.Helper()
	page, err := telltale.GenerateLatest(reg)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(page)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") && !strings.HasSuffix(line, " 0.0") && !strings.Contains(line, "_bucket{") && !strings.Contains(line, "_sum{") {
			all = append(all, line)
		}
	}
	return all
}

// eventually waits until a condition holds, which another goroutine brings about.
func eventually(t testing.TB, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it has not come about")
		}
	}
}
