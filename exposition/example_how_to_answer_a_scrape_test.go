package exposition_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"telltale/exposition"
	"telltale/model"
)

// How is a scrape answered in the format that the scraper likes best?
func Example_howToAnswerAScrape() {
	family := &model.Family{Name: "up", Help: "Whether it works.", Type: model.Gauge}
	family.AddSample("up", nil, 1)

	handler := func(w http.ResponseWriter, r *http.Request) {
		format := exposition.Negotiate(r.Header.Values("Accept")...)
		w.Header().Set("Content-Type", format.ContentType())
		e := exposition.NewEncoder(w, format, exposition.WithDropped(func(d exposition.Drop) {
			fmt.Println("dropped:", d.Family, d.Sample, d.Reason)
		}))
		if err := e.Encode(family); err != nil {
			return // the client is gone
		}
		_ = e.Close()
	}

	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3")
	answer := httptest.NewRecorder()
	handler(answer, request)
	fmt.Println(answer.Header().Get("Content-Type"))
	fmt.Print(answer.Body)
	// Output:
	// application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8
	// # HELP up Whether it works.
	// # TYPE up gauge
	// up 1.0
	// # EOF
}
