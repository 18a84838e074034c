package otlp

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"telltale/internal/endpoint"
	"telltale/internal/outbox"
	"telltale/push"
)

// receiver is the server that requests are sent to.
type receiver struct {
	endpoint endpoint.Endpoint
	address  string // with a query
	name     string // without
	timeout  time.Duration
	plain    bool        // without compression
	warn     func(error) // of what was delivered
}

const (
	metricsPath = "/v1/metrics" // of an address without a path
	contentType = "application/x-protobuf"
)

// set takes the address.
func (r *receiver) set(url string) error {
	u, err := r.endpoint.SetAddress(url)
	if err != nil {
		return err
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = metricsPath
	}
	r.address, r.name = r.endpoint.HideQuery(u)
	return nil
}

// PartialError is the error of a request of which the receiver has taken a part alone. It
// is never sent again.
type PartialError struct {
	Rejected int64  // data points
	Sent     int    // data points of the request
	Message  string // of the receiver, without secrets
}

// Error returns what the receiver said.
func (e *PartialError) Error() string {
	return fmt.Sprintf("the receiver has rejected %d of %d data points: %q", e.Rejected, e.Sent, e.Message)
}

// Unwrap returns the status, so that [push.Every] does not try again.
func (e *PartialError) Unwrap() error {
	return &push.StatusError{Code: http.StatusOK, Body: e.Message, Final: true}
}

// send tries to send a request. What the specification does not call temporary is
// refused for good.
func (r *receiver) send(ctx context.Context, q *outbox.Request) outbox.Outcome {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	header := http.Header{"Content-Type": {contentType}}
	if !r.plain {
		header.Set("Content-Encoding", "gzip")
	}
	answer, err := r.endpoint.Send(ctx, http.MethodPost, r.address, header, q.Body)
	if err != nil {
		return outbox.Outcome{Verdict: outbox.Postponed, Err: r.wrap(err)}
	}
	if !answer.Accepted() {
		return r.failed(answer)
	}
	rejected, message := partialSuccess(answer)
	message = answer.Redacted(message)
	if rejected <= 0 {
		if message != "" {
			r.warn(r.wrap(fmt.Errorf("the receiver warns: %q", message)))
		}
		return outbox.Outcome{Verdict: outbox.Delivered, Written: q.Count}
	}
	return outbox.Outcome{
		Verdict: outbox.Delivered, Written: int(max(0, int64(q.Count)-rejected)),
		Err: r.wrap(&PartialError{Rejected: rejected, Sent: q.Count, Message: message}),
	}
}

func (r *receiver) wrap(err error) error { return r.endpoint.Wrap(http.MethodPost, r.name, err) }

// failed returns the outcome of an answer whose status is not one of success.
func (r *receiver) failed(answer *endpoint.Answer) outbox.Outcome {
	status := &push.StatusError{Code: answer.Code, RetryAfter: answer.RetryAfter(), Body: answer.Body}
	if spoken(answer) {
		status.Body = answer.Redacted(statusMessage(answer.Raw))
	}
	o := outbox.Outcome{Verdict: outbox.Refused, After: status.RetryAfter}
	switch answer.Code {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		o.Verdict = outbox.Postponed
	default:
		status.Final = true
	}
	o.Err = r.wrap(status)
	return o
}

// spoken reports whether an answer is a message of the protocol.
func spoken(a *endpoint.Answer) bool {
	kind, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), contentType)
}

// partialSuccess returns what an ExportMetricsServiceResponse says of data points that
// were rejected. Of an answer that was cut off it returns what is there.
func partialSuccess(a *endpoint.Answer) (rejected int64, message string) {
	const partial, rejectedPoints, errorMessage = 1, 1, 2
	if !spoken(a) {
		return 0, ""
	}
	eachField(a.Raw, func(n protowire.Number, _ uint64, inner []byte) {
		if n == partial {
			eachField(inner, func(n protowire.Number, v uint64, text []byte) {
				switch n {
				case rejectedPoints:
					rejected = int64(v)
				case errorMessage:
					message = string(text)
				}
			})
		}
	})
	return rejected, strings.ToValidUTF8(message, "\uFFFD")
}

// statusMessage returns the message of a google.rpc.Status.
func statusMessage(raw []byte) (message string) {
	const statusText = 2
	eachField(raw, func(n protowire.Number, _ uint64, text []byte) {
		if n == statusText {
			message = string(text)
		}
	})
	return strings.ToValidUTF8(message, "\uFFFD")
}

// eachField calls visit with the fields of a message that are a varint or have a length,
// up to the first that is not valid. Of one that is cut off it has what is there.
func eachField(raw []byte, visit func(n protowire.Number, v uint64, inner []byte)) {
	for len(raw) > 0 {
		num, typ, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return
		}
		raw = raw[n:]
		switch typ {
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(raw)
			if n < 0 {
				return
			}
			visit(num, v, nil)
			raw = raw[n:]
		case protowire.BytesType:
			size, n := protowire.ConsumeVarint(raw)
			if n < 0 {
				return
			}
			inner := raw[n:]
			inner = inner[:min(size, uint64(len(inner)))]
			visit(num, 0, inner)
			raw = raw[n+len(inner):]
		default:
			if n = protowire.ConsumeFieldValue(num, typ, raw); n < 0 {
				return
			}
			raw = raw[n:]
		}
	}
}
