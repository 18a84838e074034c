package grpcmetrics

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// Client has the metrics of gRPC clients. [NewClient] makes it. It is safe for
// concurrent use, and may count any number of connections.
type Client struct{ metrics *instruments }

// NewClient returns the metrics of a client, registered with [telltale.Default] or the
// registry of [In]. A second call with the same options counts in the same metrics.
// Errors are those of package telltale's constructors.
func NewClient(opts ...Option) (*Client, error) {
	m, err := newInstruments("client", newSettings(opts))
	if err != nil {
		return nil, err
	}
	return &Client{m}, nil
}

// Options returns the options by which a [grpc.ClientConn] counts in the metrics. They
// chain the interceptors.
func (c *Client) Options() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(c.Unary), grpc.WithChainStreamInterceptor(c.Stream)}
}

// Unary is a [grpc.UnaryClientInterceptor].
func (c *Client) Unary(ctx context.Context, full string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	call := c.begin(ctx, unary, full)
	defer call.end(codes.Internal) // a panic of what is inside
	call.sent()
	err := invoker(ctx, full, req, reply, cc, opts...)
	if err == nil {
		call.received()
	}
	call.end(code(err))
	return err
}

// Stream is a [grpc.StreamClientInterceptor]. A stream ends when gRPC says so, also if
// the program cancels it and reads no more.
func (c *Client) Stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, full string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	call := c.begin(ctx, streamType(desc.ClientStreams, desc.ServerStreams), full)
	opts = append(opts[:len(opts):len(opts)], grpc.OnFinish(func(err error) { call.end(code(err)) }))
	stream, err := streamer(ctx, desc, cc, full, opts...)
	if err != nil {
		call.end(code(err))
		return nil, err
	}
	return &countedClientStream{stream, call, desc.ServerStreams}, nil
}

func (c *Client) begin(ctx context.Context, typ, full string) *call {
	md, _ := metadata.FromOutgoingContext(ctx)
	return c.metrics.begin(ctx, c.metrics.method(typ, full), md.Get("traceparent"))
}

// countedClientStream counts the messages of a stream, and its end where an
// interceptor between does not pass on the option that tells of it.
type countedClientStream struct {
	grpc.ClientStream
	call *call
	many bool // answers
}

func (s *countedClientStream) SendMsg(m any) error {
	err := s.ClientStream.SendMsg(m)
	switch {
	case err == nil:
		s.call.sent()
	case !errors.Is(err, io.EOF): // after which RecvMsg says why
		s.call.end(code(err))
	}
	return err
}

func (s *countedClientStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	switch {
	case err == nil:
		s.call.received()
		if !s.many {
			s.call.end(code(nil))
		}
	case errors.Is(err, io.EOF):
		s.call.end(code(nil))
	default:
		s.call.end(code(err))
	}
	return err
}
