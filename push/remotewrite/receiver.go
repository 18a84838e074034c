package remotewrite

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"telltale/internal/endpoint"
	"telltale/internal/outbox"
	"telltale/push"
)

// Version is a version of the protocol.
type Version string

// The versions.
const (
	Version1 Version = "1.0"
	Version2 Version = "2.0"
)

// AskAgain is how long a receiver that does not speak version 2.0 is not asked again.
const AskAgain = time.Hour

// receiver is the server that requests are sent to, and which version it speaks.
type receiver struct {
	endpoint endpoint.Endpoint
	address  string // with a query
	name     string // without
	timeout  time.Duration
	only     Version // "" to find out

	mu    sync.Mutex
	knows Version   // "" as long as it is not known
	since time.Time // of knows
}

// version returns the version to try.
func (r *receiver) version() Version {
	if r.only != "" {
		return r.only
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.knows == Version1 && time.Since(r.since) > AskAgain {
		r.knows = ""
	}
	return r.knows
}

// learn notes the version that the receiver has shown to speak, or "" to forget it.
func (r *receiver) learn(v Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.knows, r.since = v, time.Now()
}

// send tries to send a request, in version 2.0 unless the receiver is known to speak
// 1.0. It turns to 1.0 where the receiver answers 415, or 2xx without telling what it
// has written, and as a test where it answers 400 before it was known to speak 2.0.
func (r *receiver) send(ctx context.Context, q *outbox.Request) outbox.Outcome {
	known := r.version()
	if known == Version1 {
		o, answer := r.send1(ctx, q)
		if answer == nil || answer.Code != http.StatusUnsupportedMediaType || r.only != "" {
			return o
		}
		r.learn("") // it does no longer
	}
	o, answer, told := r.send2(ctx, q)
	switch {
	case answer == nil:
		return o
	case told:
		r.learn(Version2)
		return o
	case r.only == Version2 || known == Version1:
		return o
	case answer.Code == http.StatusUnsupportedMediaType, answer.Accepted():
	case answer.Code == http.StatusBadRequest && known == "":
	default:
		return o
	}
	o1, answer := r.send1(ctx, q)
	if o1.Verdict == outbox.Delivered {
		r.learn(Version1)
		return o1
	}
	if answer == nil || o1.Verdict == outbox.Postponed {
		return o1
	}
	return o
}

const (
	contentType1 = "application/x-protobuf"
	contentType2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"

	versionHeader = "X-Prometheus-Remote-Write-Version"
	writtenHeader = "X-Prometheus-Remote-Write-"
)

// send2 sends a request in version 2.0. Told reports whether the receiver has told what
// it has written, which one that does not speak the version cannot.
func (r *receiver) send2(ctx context.Context, q *outbox.Request) (o outbox.Outcome, answer *endpoint.Answer, told bool) {
	answer, err := r.post(ctx, q.Body, contentType2, "2.0.0")
	if err != nil {
		return outbox.Outcome{Verdict: outbox.Postponed, Err: err}, nil, false
	}
	written, told := writtenOf(answer.Header)
	switch {
	case answer.Accepted() && told:
		o = outbox.Outcome{Verdict: outbox.Delivered, Written: written.all()}
		if written.all() < q.Count {
			o.Err = fmt.Errorf("push: POST %s: the receiver has written %d of %d samples", r.name, written.all(), q.Count)
		}
	case answer.Accepted():
		o = outbox.Outcome{Verdict: outbox.Refused, Err: fmt.Errorf("push: POST %s: the receiver answered %d, but does not tell what it has written: it does not speak remote write 2.0", r.name, answer.Code)}
	default:
		o = r.failed(answer)
		if o.Verdict == outbox.Refused {
			o.Written = written.all()
		}
	}
	return o, answer, told
}

// send1 sends a request in version 1.0.
func (r *receiver) send1(ctx context.Context, q *outbox.Request) (outbox.Outcome, *endpoint.Answer) {
	body, err := downgrade(q.Body)
	if err != nil {
		return outbox.Outcome{Verdict: outbox.Refused, Err: err}, nil
	}
	answer, err := r.post(ctx, body, contentType1, "0.1.0")
	if err != nil {
		return outbox.Outcome{Verdict: outbox.Postponed, Err: err}, nil
	}
	if answer.Accepted() {
		return outbox.Outcome{Verdict: outbox.Delivered, Written: q.Count}, answer
	}
	return r.failed(answer), answer
}

// failed returns the outcome of an answer whose status is not one of success.
func (r *receiver) failed(answer *endpoint.Answer) outbox.Outcome {
	status := &push.StatusError{Code: answer.Code, RetryAfter: answer.RetryAfter(), Body: answer.Body}
	o := outbox.Outcome{Verdict: outbox.Refused, After: status.RetryAfter, Err: r.endpoint.Wrap(http.MethodPost, r.name, status)}
	if status.Temporary() && answer.Code != http.StatusRequestTimeout {
		o.Verdict = outbox.Postponed
	}
	return o
}

func (r *receiver) post(ctx context.Context, body []byte, contentType, version string) (*endpoint.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	header := http.Header{"Content-Type": {contentType}, "Content-Encoding": {"snappy"}, versionHeader: {version}}
	answer, err := r.endpoint.Send(ctx, http.MethodPost, r.address, header, body)
	if err != nil {
		return nil, r.endpoint.Wrap(http.MethodPost, r.name, err)
	}
	return answer, nil
}

// mostWritten is more than a request has, and little enough to be added up.
const mostWritten = 1 << 29

// writtenOf returns what a receiver says to have written, and whether it says anything.
func writtenOf(h http.Header) (written counts, told bool) {
	for name, to := range map[string]*int{"Samples": &written.samples, "Histograms": &written.histograms, "Exemplars": &written.exemplars} {
		text := h.Get(writtenHeader + name + "-Written")
		if n, err := strconv.Atoi(text); err == nil && n >= 0 {
			*to, told = min(n, mostWritten), true
		}
	}
	return written, told
}
