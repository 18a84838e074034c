package grpcmetrics

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Server has the metrics of gRPC servers. [NewServer] makes it. It is safe for
// concurrent use, and may count any number of servers.
type Server struct{ metrics *instruments }

// NewServer returns the metrics of a server, registered with [telltale.Default] or the
// registry of [In]. A second call with the same options counts in the same metrics.
// Errors are those of package telltale's constructors.
func NewServer(opts ...Option) (*Server, error) {
	m, err := newInstruments("server", newSettings(opts))
	if err != nil {
		return nil, err
	}
	return &Server{m}, nil
}

// Options returns the options by which a [grpc.Server] counts in the metrics. They
// chain the interceptors: give them before those of others, which are inside then, so
// that what a recovering interceptor answers is counted.
func (s *Server) Options() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(s.Unary), grpc.ChainStreamInterceptor(s.Stream)}
}

// ServiceInfoProvider is a [grpc.Server], or what stands for one.
type ServiceInfoProvider interface {
	GetServiceInfo() map[string]grpc.ServiceInfo
}

// Create makes the series of all methods of the services that are registered with a
// server, so that they are on the page before the first call, all with zero. Call it
// once all services are registered. Methods beyond the limit of [WithMaxMethods] are
// "other".
func (s *Server) Create(server ServiceInfoProvider) {
	for service, info := range server.GetServiceInfo() {
		for _, m := range info.Methods {
			typ := unary
			if m.IsClientStream || m.IsServerStream {
				typ = streamType(m.IsClientStream, m.IsServerStream)
			}
			s.metrics.create(s.metrics.method(typ, "/"+service+"/"+m.Name))
		}
	}
}

// Unary is a [grpc.UnaryServerInterceptor].
func (s *Server) Unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	c := s.begin(ctx, s.metrics.method(unary, info.FullMethod))
	c.received()
	defer c.unlessEnded()
	resp, err := handler(ctx, req)
	if err == nil {
		c.sent()
	}
	c.end(code(err))
	return resp, err
}

// Stream is a [grpc.StreamServerInterceptor].
func (s *Server) Stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	typ := streamType(info.IsClientStream, info.IsServerStream)
	of := method{typ, other, other}
	if srv != nil { // else no service has the method, which may have any name, and the handler is that of unknown ones
		of = s.metrics.method(typ, info.FullMethod)
	}
	c := s.begin(ss.Context(), of)
	defer c.unlessEnded()
	err := handler(srv, &countedServerStream{ss, c})
	c.end(code(err))
	return err
}

func (s *Server) begin(ctx context.Context, of method) *call {
	return s.metrics.begin(ctx, of, metadata.ValueFromIncomingContext(ctx, "traceparent"))
}

// unlessEnded counts a call that has not ended although its handler is gone: it
// panics, or its goroutine ends. The panic goes on.
func (c *call) unlessEnded() {
	if !c.ended.Load() {
		c.instruments.panics.With(c.method.typ, c.method.service, c.method.name).Inc()
		c.end(codes.Internal)
	}
}

// code returns the code that gRPC sends for an error.
func code(err error) codes.Code {
	s, ok := status.FromError(err)
	if !ok {
		s = status.FromContextError(err)
	}
	return s.Code()
}

// countedServerStream counts the messages of a stream.
type countedServerStream struct {
	grpc.ServerStream
	call *call
}

func (s *countedServerStream) SendMsg(m any) error {
	err := s.ServerStream.SendMsg(m)
	if err == nil {
		s.call.sent()
	}
	return err
}

func (s *countedServerStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if err == nil {
		s.call.received()
	}
	return err
}
