package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"
)

// webConfig is a file in the web configuration format of Prometheus's exporters: TLS,
// client certificates, basic auth and headers. The toolkit reads it again at each
// request, and certificates at each connection.
type webConfig struct {
	file string // may be empty: plain HTTP
	tls  bool
}

// maxWebConfig is the largest such file, in bytes.
const maxWebConfig = 1 << 20

// readWebConfig returns the configuration in a file, or an error if it cannot be used.
func readWebConfig(file string) (webConfig, error) {
	c := webConfig{file: file}
	if file == "" {
		return c, nil
	}
	wrong := func(err error) (webConfig, error) {
		return c, fmt.Errorf("%s: %w", printable(file), withoutValues(err))
	}
	info, err := os.Stat(file)
	if err != nil {
		return c, err
	}
	if !info.Mode().IsRegular() { // as a pipe, whose size is not known
		return wrong(errors.New("it is no regular file, and is read again at each request"))
	}
	if info.Size() > maxWebConfig {
		return wrong(fmt.Errorf("it has more than %d bytes", maxWebConfig))
	}
	if err := web.Validate(file); err != nil {
		return wrong(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return c, err
	}
	var said struct {
		TLS map[string]any `yaml:"tls_server_config"`
	}
	if err := yaml.Unmarshal(content, &said); err != nil {
		return wrong(err)
	}
	c.tls = len(said.TLS) > 0
	return c, nil
}

// scheme is that of the page's URL.
func (c webConfig) scheme() string {
	if c.tls {
		return "https"
	}
	return "http"
}

// serve serves until the server is shut down. It calls tell with errors of connections.
func (c webConfig) serve(l net.Listener, server *http.Server, tell func(error)) error {
	if c.file == "" {
		return server.Serve(l)
	}
	server.ErrorLog = log.New(lines(tell), "", 0)
	return web.Serve(l, server, &web.FlagConfig{WebConfigFile: &c.file}, slog.New(warnings(tell)))
}

// lines tells what is written to it, each line as an error.
type lines func(error)

// Write is called by package log, once for each line.
func (l lines) Write(line []byte) (int, error) {
	l(errors.New(strings.TrimSpace(string(line))))
	return len(line), nil
}

// warnings is a handler of log records that tells warnings as errors, without values of
// files.
type warnings func(error)

// Enabled reports whether a record is told.
func (w warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle tells a record.
func (w warnings) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += fmt.Sprintf(": %v", a.Value)
		return true
	})
	w(withoutValues(errors.New(text)))
	return nil
}

// WithAttrs returns the handler: the toolkit has no attributes of its logger.
func (w warnings) WithAttrs([]slog.Attr) slog.Handler { return w }

// WithGroup returns the handler.
func (w warnings) WithGroup(string) slog.Handler { return w }
