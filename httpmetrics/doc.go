// Package httpmetrics counts what HTTP servers and clients do.
//
// # Servers
//
// [NewServer] makes the metrics, [Server.Wrap] a handler that counts:
//
//	metrics, err := httpmetrics.NewServer()
//	...
//	http.ListenAndServe(addr, metrics.Wrap(mux))
//
//	http_server_in_flight_requests            requests that are being served
//	http_server_requests_total                requests served
//	http_server_request_duration_seconds      time until the handler has returned
//	http_server_time_to_first_byte_seconds    time until the handler has begun its answer
//	http_server_request_size_bytes            bytes of the body that the handler has read
//	http_server_response_size_bytes           bytes of the body that the handler has written
//
// All but the first have the labels method, code and route. Clients cannot invent
// values: a method is one of those of package net/http, or "other"; a code is a
// number from 100 to 599, or "other"; a route is the pattern that a [http.ServeMux]
// has matched, without its method, or "other". The pattern is read from
// [http.Request.Pattern] after serving, so the mux may be wrapped as a whole. Where
// a middleware between replaces the request, or the router is none of net/http's,
// [SetRoute] or [WithRoute] say what the route is. The number of routes has a limit,
// [WithMaxRoutes].
//
// A handler that panics has the code 500, and the panic goes on. The response
// writer that handlers are given has the optional interfaces of the original one.
//
// # Clients
//
// [NewTransport] wraps the transport of an [http.Client]:
//
//	http_client_in_flight_requests            requests whose answer has not been read to its end
//	http_client_requests_total                requests that were answered, or failed
//	http_client_request_duration_seconds      time until the header of the answer
//	http_client_phase_duration_seconds        time of the phases dns, connect, tls and first_byte
//	http_client_response_size_bytes           bytes of the body that the program has read
//
// Labels are method and code, the code of a request that failed is "error". The
// phases have the label phase alone.
//
// # Exemplars
//
// Observations have exemplars where the request belongs to a sampled trace: the
// header traceparent says so (W3C Trace Context), or a function of the context
// ([WithExemplars]).
package httpmetrics
