package scrapehttp

import (
	"errors"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// deadlined is a writer with write deadlines, which it ignores.
type deadlined struct{ *httptest.ResponseRecorder }

func (deadlined) SetWriteDeadline(time.Time) error { return nil }

// A scrape whose client is cut off when all of its page is written fails, whoever sets the
// deadline of the next request.
func TestCutOffAtTheEnd(t *testing.T) {
	for _, keeps := range []bool{false, true} {
		for range 100 {
			w := newWire(deadlined{httptest.NewRecorder()}, httptest.NewRequest("GET", "/", nil), defaults())
			w.keeps = keeps
			if _, err := w.Write([]byte("page")); err != nil {
				t.Fatal(err)
			}
			var other sync.WaitGroup
			began := make(chan struct{})
			other.Go(func() {
				close(began)
				w.cutOff()
			})
			<-began
			early := w.end() // beside the other
			other.Wait()
			if err := w.end(); !errors.Is(err, errCutOff) || early != nil && !errors.Is(early, errCutOff) {
				t.Fatalf("the server keeps deadlines: %v: the page ended with %v and %v", keeps, early, err)
			}
		}
	}
}
