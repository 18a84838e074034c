package scrapehttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"telltale"
	"telltale/scrapehttp"
)

// How do I start and end the server myself? NewServer returns one of net/http, whose
// fields, such as TLSConfig, may be changed first; its deadlines and limits are set.
func ExampleNewServer() {
	reg := telltale.NewRegistry()
	telltale.Must(telltale.NewCounter("jobs", "Jobs done.", telltale.In(reg))).Add(3)

	server := scrapehttp.NewServer(":9464", reg,
		scrapehttp.WithTimeout(5*time.Second),
		scrapehttp.WithMaxInFlight(4),
		scrapehttp.WithMaxConnections(64),
		scrapehttp.WithErrorHook(func(err error) { log.Print(err) }),
	)
	// In a program: go server.ListenAndServe(), and at its end server.Shutdown(ctx).

	for _, path := range []string{"/-/healthy", "/metrics"} {
		answer := httptest.NewRecorder()
		server.Handler.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
		fmt.Println(path, answer.Code)
	}
	// Output:
	// /-/healthy 200
	// /metrics 200
}

// How do I serve something else beside the metrics?
func ExampleWithMount() {
	version := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "1.4.2") })
	server := scrapehttp.NewServer(":9464", telltale.NewRegistry(), scrapehttp.WithMount("GET /version", version))

	answer := httptest.NewRecorder()
	server.Handler.ServeHTTP(answer, httptest.NewRequest("GET", "/version", nil))
	fmt.Println(answer.Code, answer.Body)
	// Output: 200 1.4.2
}

// How do I know the port before the server starts? Listen takes the addresses of Serve.
func ExampleListen() {
	listener, err := scrapehttp.Listen(context.Background(), "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := scrapehttp.NewServer("", telltale.NewRegistry())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()

	response, err := http.Get("http://" + listener.Addr().String() + "/-/healthy")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(response.StatusCode, response.Body.Close())

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println(server.Shutdown(ctx), errors.Is(<-ended, http.ErrServerClosed))
	// Output:
	// 200 <nil>
	// <nil> true
}

// How do I refuse what is too long, or too slow?
func ExampleWithQueryLimits() {
	handler := scrapehttp.Handler(telltale.NewRegistry(),
		scrapehttp.WithQueryLimits(scrapehttp.QueryLimits{Parameters: 2}),
		scrapehttp.WithTimeoutRange(time.Second, 20*time.Second),
		scrapehttp.WithWriteTimeout(30*time.Second),
		scrapehttp.WithMaxInFlightPerPeer(2),
	)
	for _, query := range []string{"name[]=a&name[]=b", "name[]=a&name[]=b&name[]=c"} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics?"+query, nil))
		fmt.Println(answer.Code)
	}
	// Output:
	// 200
	// 400
}

// How do I save processor time where the network is fast? Without a coding pages are not
// compressed.
func ExampleWithCodings() {
	request := httptest.NewRequest("GET", "/metrics", nil)
	request.Header.Set("Accept-Encoding", "gzip, zstd")
	for _, codings := range [][]scrapehttp.Coding{{scrapehttp.Gzip}, {}} {
		answer := httptest.NewRecorder()
		scrapehttp.Handler(telltale.NewRegistry(), scrapehttp.WithCodings(codings...)).ServeHTTP(answer, request)
		fmt.Printf("%q\n", answer.Header().Get("Content-Encoding"))
	}
	// Output:
	// "gzip"
	// ""
}
