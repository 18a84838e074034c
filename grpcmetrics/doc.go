// Package grpcmetrics counts what gRPC servers and clients do.
//
// # Servers
//
// [NewServer] makes the metrics, and [Server.Options] has a server count in them:
//
//	metrics, err := grpcmetrics.NewServer()
//	...
//	server := grpc.NewServer(metrics.Options()...)
//	pb.RegisterShopServer(server, shop)
//	metrics.Create(server) // all series are on the page from the start
//
//	grpc_server_in_flight_calls            calls that have begun and not ended
//	grpc_server_started_total              calls begun
//	grpc_server_handled_total              calls ended
//	grpc_server_duration_seconds           time until the handler has returned
//	grpc_server_messages_received_total    messages received
//	grpc_server_messages_sent_total        messages sent
//	grpc_server_panics_total               calls whose handler has panicked
//
// All have the labels type (unary, client_stream, server_stream, bidi_stream), service
// and method, those of calls that ended also code. Clients cannot invent values: a
// method that no service has is "other", and gRPC rejects most of them before they are
// counted; a code is one of gRPC's names, or "other". The number of methods has a
// limit, [WithMaxMethods].
//
// An error that is not a status has the code that gRPC sends for it: Canceled or
// DeadlineExceeded for an error of the context, else Unknown. A handler that panics
// has the code Internal, and the panic goes on. An interceptor that recovers from
// panics is inside if it is chained after these options; then its error is counted,
// and no panic.
//
// # Clients
//
// [NewClient] and [Client.Options] do the same for connections, under the names
// grpc_client_..., without panics:
//
//	metrics, err := grpcmetrics.NewClient()
//	...
//	conn, err := grpc.NewClient(target, append(metrics.Options(), credentials)...)
//
// A stream that the program leaves without reading it to its end is in flight until
// its context is cancelled or its connection closed, as gRPC itself demands.
//
// # Exemplars
//
// Durations have exemplars where the call belongs to a sampled trace: the metadata
// traceparent says so (W3C Trace Context), or a function of the context
// ([WithExemplars]).
//
// # Coming from go-grpc-middleware
//
// [WithMiddlewareNames] keeps the names of metrics and labels.
package grpcmetrics
