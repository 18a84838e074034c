package grpcmetrics_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"telltale"
	"telltale/grpcmetrics"
	"telltale/telltaletest"
)

func labels(typ, name string, code ...string) map[string]string {
	l := map[string]string{"type": typ, "service": service, "method": name}
	if len(code) > 0 {
		l["code"] = code[0]
	}
	return l
}

// idle waits until no call is in flight on either side.
func (s *shop) idle(t testing.TB) {
	t.Helper()
	eventually(t, func() bool {
		return !strings.Contains(strings.Join(append(lines(t, s.served), lines(t, s.called)...), "\n"), "in_flight")
	})
}

// compare fails the test unless the lines are those of the page that are not zero.
func compare(t *testing.T, reg *telltale.Registry, want string) {
	t.Helper()
	var wanted []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			wanted = append(wanted, line)
		}
	}
	got := lines(t, reg)
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		t.Errorf("the page has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(wanted, "\n"))
	}
}

func TestCallsOfAllKinds(t *testing.T) {
	s := start(t, nil, nil)
	ctx := context.Background()
	for what, want := range map[string]codes.Code{"ok": codes.OK, "missing": codes.NotFound, "wrapped": codes.Aborted, "plain": codes.Unknown, "strange": 99, "panic": codes.DataLoss} {
		if got := s.get(ctx, what); got != want {
			t.Errorf("%s: code %v, want %v", what, got, want)
		}
	}
	for _, c := range []struct {
		name string
		send []string
		want codes.Code
	}{
		{"List", []string{"ok"}, codes.OK}, {"List", []string{"missing"}, codes.NotFound}, {"List", []string{"panic"}, codes.DataLoss},
		{"Put", []string{"a", "b"}, codes.OK}, {"Put", []string{"a", "plain"}, codes.Unknown},
		{"Chat", []string{"a", "b", "c"}, codes.OK}, {"Chat", []string{"a", "missing"}, codes.NotFound},
	} {
		if got := s.stream(t, ctx, c.name, c.send...); got != c.want {
			t.Errorf("%s %v: code %v, want %v", c.name, c.send, got, c.want)
		}
	}
	s.idle(t)
	const get, list, put, chat = `type="unary",service="test.Shop",method="Get"`, `type="server_stream",service="test.Shop",method="List"`, `type="client_stream",service="test.Shop",method="Put"`, `type="bidi_stream",service="test.Shop",method="Chat"`
	both := func(side string, panics string) string {
		all := ""
		for _, line := range []string{
			"started_total{" + get + "} 6.0", "started_total{" + list + "} 3.0", "started_total{" + put + "} 2.0", "started_total{" + chat + "} 2.0",
			"handled_total{" + get + `,code="OK"} 1.0`, "handled_total{" + get + `,code="NotFound"} 1.0`, "handled_total{" + get + `,code="Aborted"} 1.0`,
			"handled_total{" + get + `,code="Unknown"} 1.0`, "handled_total{" + get + `,code="other"} 1.0`, "handled_total{" + get + `,code="` + panics + `"} 1.0`,
			"handled_total{" + list + `,code="OK"} 1.0`, "handled_total{" + list + `,code="NotFound"} 1.0`, "handled_total{" + list + `,code="` + panics + `"} 1.0`,
			"handled_total{" + put + `,code="OK"} 1.0`, "handled_total{" + put + `,code="Unknown"} 1.0`,
			"handled_total{" + chat + `,code="OK"} 1.0`, "handled_total{" + chat + `,code="NotFound"} 1.0`,
		} {
			all += "grpc_" + side + "_" + line + "\n"
			if strings.HasPrefix(line, "handled_total") {
				all += "grpc_" + side + "_duration_seconds_count" + strings.TrimPrefix(line, "handled_total") + "\n"
			}
		}
		return all
	}
	compare(t, s.served, both("server", "Internal")+`
		grpc_server_messages_received_total{`+get+`} 6.0
		grpc_server_messages_sent_total{`+get+`} 1.0
		grpc_server_messages_received_total{`+list+`} 3.0
		grpc_server_messages_sent_total{`+list+`} 9.0
		grpc_server_messages_received_total{`+put+`} 4.0
		grpc_server_messages_sent_total{`+put+`} 1.0
		grpc_server_messages_received_total{`+chat+`} 5.0
		grpc_server_messages_sent_total{`+chat+`} 4.0
		grpc_server_panics_total{`+get+`} 1.0
		grpc_server_panics_total{`+list+`} 1.0
	`)
	compare(t, s.called, both("client", "DataLoss")+`
		grpc_client_messages_sent_total{`+get+`} 6.0
		grpc_client_messages_received_total{`+get+`} 1.0
		grpc_client_messages_sent_total{`+list+`} 3.0
		grpc_client_messages_received_total{`+list+`} 9.0
		grpc_client_messages_sent_total{`+put+`} 4.0
		grpc_client_messages_received_total{`+put+`} 1.0
		grpc_client_messages_sent_total{`+chat+`} 5.0
		grpc_client_messages_received_total{`+chat+`} 4.0
	`)
	for _, reg := range []*telltale.Registry{s.served, s.called} {
		telltaletest.Lint(t, reg)
	}
}

func TestCancellations(t *testing.T) {
	s := start(t, nil, nil)
	inFlight := func(typ, name string) float64 {
		return telltaletest.Value(t, s.served, "grpc_server_in_flight_calls", labels(typ, name))
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan codes.Code)
	go func() { done <- s.get(ctx, "wait") }()
	eventually(t, func() bool { return inFlight("unary", "Get") == 1 })
	cancel()
	if got := <-done; got != codes.Canceled {
		t.Errorf("code %v", got)
	}
	timed, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if got := s.get(timed, "wait"); got != codes.DeadlineExceeded {
		t.Errorf("code %v", got)
	}

	// A stream that the program leaves and reads no more.
	ctx, cancel = context.WithCancel(context.Background())
	stream, err := s.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+service+"/Chat")
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.SendMsg(wrapperspb.String("wait")); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return inFlight("bidi_stream", "Chat") == 1 })
	cancel()
	s.idle(t)

	// One whose connection is closed.
	if _, err = s.conn.NewStream(context.Background(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+service+"/Chat"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return inFlight("bidi_stream", "Chat") == 1 })
	if err := s.conn.Close(); err != nil {
		t.Error(err)
	}
	s.idle(t)
	if got := s.get(context.Background(), "ok"); got != codes.Canceled {
		t.Errorf("after the end of the connection the code is %v", got)
	}
	if _, err := s.conn.NewStream(context.Background(), &grpc.StreamDesc{ServerStreams: true}, "/"+service+"/List"); err == nil {
		t.Error("after the end of the connection there is a stream")
	}
	for _, c := range []struct {
		typ, name, code string
		served, called  float64
	}{{"unary", "Get", "Canceled", 2, 2}, {"unary", "Get", "DeadlineExceeded", 2, 1}, {"bidi_stream", "Chat", "Canceled", 2, 2}} {
		l := labels(c.typ, c.name, c.code)
		got := telltaletest.Value(t, s.served, "grpc_server_handled_total", l)
		if c.name == "Get" { // the deadline may pass before the server has the call, and then its clock or the client may tell it of the end
			if all := telltaletest.Value(t, s.served, "grpc_server_handled_total", labels("unary", "Get", "Canceled")) +
				telltaletest.Value(t, s.served, "grpc_server_handled_total", labels("unary", "Get", "DeadlineExceeded")); all == 1 || all == 2 {
				got = c.served
			}
		}
		if got != c.served {
			t.Errorf("the server has %v calls of %v, want %v", got, l, c.served)
		}
		if got := telltaletest.Value(t, s.called, "grpc_client_handled_total", l); got != c.called {
			t.Errorf("the client has %v calls of %v, want %v", got, l, c.called)
		}
	}
	if got := telltaletest.Value(t, s.called, "grpc_client_handled_total", labels("server_stream", "List", "Canceled")); got != 1 {
		t.Errorf("%v streams that did not begin", got)
	}
}

// Clients cannot invent methods, also where a handler takes all of them.
func TestMethodsAreBounded(t *testing.T) {
	s := start(t, []grpcmetrics.Option{grpcmetrics.WithMaxMethods(10)}, []grpc.ServerOption{grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
		return status.Error(codes.Unimplemented, "proxy")
	})})
	before := len(strings.Split(page(t, s.served), "\n"))
	for i := range 200 {
		err := s.conn.Invoke(context.Background(), fmt.Sprintf("/made.Up%d/Method%d", i, i), wrapperspb.String(""), new(message))
		if status.Code(err) != codes.Unimplemented {
			t.Fatal(err)
		}
	}
	s.idle(t)
	other := map[string]string{"type": "bidi_stream", "service": "other", "method": "other"}
	if got := telltaletest.Value(t, s.served, "grpc_server_started_total", other); got != 200 {
		t.Errorf("%v other methods", got)
	}
	if got := len(strings.Split(page(t, s.served), "\n")) - before; got > 40 {
		t.Errorf("%d lines more", got)
	}
	other["type"] = "unary"
	if got := telltaletest.Value(t, s.called, "grpc_client_started_total", other); got != 190 {
		t.Errorf("the client has %v other methods", got)
	}
}

func page(t testing.TB, reg *telltale.Registry) string {
	t.Helper()
	page, err := telltale.GenerateLatest(reg)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestSeriesAreThereBeforeTheFirstCall(t *testing.T) {
	s := start(t, nil, nil)
	for name, l := range map[string]map[string]string{
		"grpc_server_in_flight_calls": labels("unary", "Get"), "grpc_server_started_total": labels("bidi_stream", "Chat"), "grpc_server_panics_total": labels("unary", "Get"),
		"grpc_server_messages_sent_total": labels("client_stream", "Put"), "grpc_server_messages_received_total": labels("server_stream", "List"),
		"grpc_server_handled_total": labels("server_stream", "List", "Unauthenticated"), "grpc_server_duration_seconds_count": labels("unary", "Get", "OK"),
	} {
		if got := telltaletest.Value(t, s.served, name, l); got != 0 {
			t.Errorf("%s is %v", name, got)
		}
	}
}

func TestExemplars(t *testing.T) {
	const trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	ctx := metadata.AppendToOutgoingContext(context.Background(), "traceparent", "00-"+trace+"-"+span+"-01")
	exemplar := func(reg *telltale.Registry, name string) string {
		for _, x := range telltaletest.Histogram(t, reg, name, labels("unary", "Get", "OK")).Exemplars {
			if x != nil {
				return x.Labels.String()
			}
		}
		return ""
	}
	for name, c := range map[string]struct {
		opts []grpcmetrics.Option
		ctx  context.Context
		want string
	}{
		"traceparent": {nil, ctx, `{span_id="` + span + `",trace_id="` + trace + `"}`},
		"none":        {nil, context.Background(), ""},
		"function":    {[]grpcmetrics.Option{grpcmetrics.WithExemplars(func(context.Context) map[string]string { return map[string]string{"id": "7"} })}, ctx, `{id="7"}`},
		"too long": {[]grpcmetrics.Option{grpcmetrics.WithInstruments(telltale.WithNamespace("ns")), grpcmetrics.WithExemplars(func(context.Context) map[string]string {
			return map[string]string{"id": strings.Repeat("7", 200)}
		})}, ctx, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, c.opts, nil)
			if got := s.get(c.ctx, "ok"); got != codes.OK {
				t.Fatal(got)
			}
			s.idle(t)
			prefix := ""
			if name == "too long" {
				prefix = "ns_"
			}
			for side, reg := range map[string]*telltale.Registry{"server": s.served, "client": s.called} {
				if got := exemplar(reg, prefix+"grpc_"+side+"_duration_seconds"); got != c.want {
					t.Errorf("the %s has the exemplar %s", side, got)
				}
				if got := telltaletest.Value(t, reg, prefix+"grpc_"+side+"_duration_seconds_count", labels("unary", "Get", "OK")); got != 1 {
					t.Errorf("the %s has %v calls", side, got)
				}
			}
		})
	}
}

// fakeStream is a stream of an interceptor that does not pass on options.
type fakeStream struct {
	grpc.ClientStream
	send, recv error
}

func (s fakeStream) SendMsg(any) error { return s.send }
func (s fakeStream) RecvMsg(any) error { return s.recv }

func TestStreamsEndWithoutTheOptionToo(t *testing.T) {
	for name, c := range map[string]struct {
		many       bool
		send, recv error
		want       string
	}{
		"end":         {true, nil, io.EOF, "OK"},
		"one answer":  {false, nil, nil, "OK"},
		"error":       {true, nil, status.Error(codes.Aborted, ""), "Aborted"},
		"cannot send": {true, status.Error(codes.ResourceExhausted, ""), io.EOF, "ResourceExhausted"},
		"sent late":   {true, io.EOF, status.Error(codes.Aborted, ""), "Aborted"},
	} {
		t.Run(name, func(t *testing.T) {
			reg := telltale.NewRegistry()
			client, err := grpcmetrics.NewClient(grpcmetrics.In(reg))
			if err != nil {
				t.Fatal(err)
			}
			stream, err := client.Stream(context.Background(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: c.many}, nil, "/"+service+"/X",
				func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
					return fakeStream{nil, c.send, c.recv}, nil
				})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := stream.SendMsg(nil); !errors.Is(err, c.send) {
					t.Error(err)
				}
				if err := stream.RecvMsg(nil); !errors.Is(err, c.recv) {
					t.Error(err)
				}
			}
			typ := map[bool]string{true: "bidi_stream", false: "client_stream"}[c.many]
			if got := telltaletest.Value(t, reg, "grpc_client_handled_total", labels(typ, "X", c.want)); got != 1 {
				t.Errorf("%v ends", got)
			}
			if got := telltaletest.Value(t, reg, "grpc_client_in_flight_calls", labels(typ, "X")); got != 0 {
				t.Errorf("%v in flight", got)
			}
		})
	}
}

func TestWrongOptionsAndNames(t *testing.T) {
	for name, opts := range map[string][]grpcmetrics.Option{
		"no methods":  {grpcmetrics.WithMaxMethods(0)},
		"no registry": {grpcmetrics.In(nil)},
		"no buckets":  {grpcmetrics.WithDurations(telltale.WithBuckets(2, 1))},
	} {
		opts = append([]grpcmetrics.Option{grpcmetrics.In(telltale.NewRegistry()), nil}, opts...)
		if _, err := grpcmetrics.NewServer(opts...); err == nil {
			t.Errorf("%s: no error of the server", name)
		}
		if _, err := grpcmetrics.NewClient(opts...); err == nil {
			t.Errorf("%s: no error of the client", name)
		}
	}
	reg := telltale.NewRegistry()
	for range 2 { // the second counts in the same metrics
		server, err := grpcmetrics.NewServer(grpcmetrics.In(reg))
		if err != nil {
			t.Fatal(err)
		}
		for _, full := range []string{"nonsense", "", "/a/b"} {
			if _, err := server.Unary(context.Background(), nil, &grpc.UnaryServerInfo{FullMethod: full}, func(context.Context, any) (any, error) { return nil, nil }); err != nil {
				t.Error(err)
			}
		}
	}
	other := map[string]string{"type": "unary", "service": "other", "method": "other"}
	if got := telltaletest.Value(t, reg, "grpc_server_started_total", other); got != 4 {
		t.Errorf("%v calls of malformed methods", got)
	}
	if got := telltaletest.Value(t, reg, "grpc_server_started_total", map[string]string{"type": "unary", "service": "a", "method": "b"}); got != 2 {
		t.Errorf("%v calls", got)
	}
}

// A call is not in flight after what is inside has panicked.
func TestPanicsOfClients(t *testing.T) {
	reg := telltale.NewRegistry()
	client, err := grpcmetrics.NewClient(grpcmetrics.In(reg))
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if p := recover(); p != "codec" {
				t.Errorf("the panic is %v", p)
			}
		}()
		_ = client.Unary(context.Background(), "/"+service+"/X", nil, nil, nil, func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { panic("codec") })
	}()
	if got := telltaletest.Value(t, reg, "grpc_client_in_flight_calls", labels("unary", "X")); got != 0 {
		t.Errorf("%v in flight", got)
	}
	if got := telltaletest.Value(t, reg, "grpc_client_handled_total", labels("unary", "X", "Internal")); got != 1 {
		t.Errorf("%v ends", got)
	}
}

func BenchmarkUnary(b *testing.B) {
	server, err := grpcmetrics.NewServer(grpcmetrics.In(telltale.NewRegistry()))
	if err != nil {
		b.Fatal(err)
	}
	ctx, info := context.Background(), &grpc.UnaryServerInfo{FullMethod: "/" + service + "/Get"}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = server.Unary(ctx, nil, info, func(context.Context, any) (any, error) { return nil, nil })
	}
}
