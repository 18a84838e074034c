//go:build unix

package scrapehttp_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"telltale"
	"telltale/scrapehttp"
)

// How do I serve metrics on a Unix socket, so that no port is open?
func ExampleWithSocketMode() {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "metrics.sock")
	listener, err := scrapehttp.Listen(context.Background(), "unix:"+path, scrapehttp.WithSocketMode(0o600))
	if err != nil {
		fmt.Println(err)
		return
	}
	server := scrapehttp.NewServer("", telltale.NewRegistry())
	defer func() { _ = server.Close() }()
	go func() { _ = server.Serve(listener) }()

	info, err := os.Stat(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", path)
	}}}
	response, err := client.Get("http://shop/metrics")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Mode().Perm(), response.StatusCode, response.Body.Close())
	// Output: -rw------- 200 <nil>
}
