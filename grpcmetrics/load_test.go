package grpcmetrics_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Calls of all kinds at once, of which some panic, fail, or are cancelled at any time:
// the client counts the codes that its program was given, each call that the server
// began has ended, and nothing is in flight.
func TestManyCallsAtOnce(t *testing.T) {
	s := start(t, nil, nil)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	const programs, each = 8, 60
	var mu sync.Mutex
	given := make(map[string]float64) // codes
	panics := 0.0
	var all sync.WaitGroup
	for i := range programs {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		all.Go(func() {
			for range each {
				what := []string{"ok", "missing", "plain", "panic"}[random.IntN(4)]
				var code codes.Code
				switch name := []string{"Get", "List", "Put", "Chat", "cancelled", "left"}[random.IntN(6)]; name {
				case "Get":
					code = s.get(t.Context(), what)
				case "cancelled":
					what = "wait"
					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(time.Duration(random.IntN(2000))*time.Microsecond, cancel)
					code = s.get(ctx, what)
				case "left":
					what = "wait"
					code = s.leave(t, time.Duration(random.IntN(2000))*time.Microsecond)
				default:
					code = s.stream(t, t.Context(), name, what)
				}
				mu.Lock()
				given[code.String()]++
				if what == "panic" {
					panics++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	s.idle(t)
	called, series := read(t, s.called)
	if called["grpc_client_started_total"] != programs*each || called["grpc_client_handled_total"] != programs*each || series["grpc_client_started_total"] != 4 {
		t.Errorf("the client has begun %v calls of %d methods and ended %v", called["grpc_client_started_total"], series["grpc_client_started_total"], called["grpc_client_handled_total"])
	}
	for code, want := range given {
		if got := handled(t, s, code); got != want {
			t.Errorf("the client has %v calls with the code %s, its program was given %v", got, code, want)
		}
	}
	served, _ := read(t, s.served)
	if begun := served["grpc_server_started_total"]; begun != served["grpc_server_handled_total"] || begun != served["grpc_server_duration_seconds_count"] || begun > programs*each {
		t.Errorf("the server has begun %v calls, ended %v and timed %v", begun, served["grpc_server_handled_total"], served["grpc_server_duration_seconds_count"])
	}
	if got := served["grpc_server_panics_total"]; got != panics || panics == 0 {
		t.Errorf("%v panics, want %v", got, panics)
	}
}

// leave begins a stream, cancels it after a while and reads no more.
func (s *shop) leave(t *testing.T, after time.Duration) codes.Code {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := s.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+service+"/Chat")
	if err != nil {
		t.Error(err)
		return codes.Unknown
	}
	_ = stream.SendMsg(wrapperspb.String("wait")) // the server may be gone
	time.Sleep(after)
	return codes.Canceled
}

// handled returns how many calls of a client have ended with a code.
func handled(t *testing.T, s *shop, code string) (n float64) {
	t.Helper()
	for f, err := range s.called.Families(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for sample := range f.Samples() {
			if got, _ := sample.Labels.Get("code"); sample.Name == "grpc_client_handled_total" && got == code {
				n += sample.Value
			}
		}
	}
	return n
}
