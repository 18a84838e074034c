package collectors_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"expvar"
	"log/slog"
	"maps"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"telltale"
	"telltale/collectors"
	"telltale/model"
	"telltale/telltaletest"
)

func TestVersion(t *testing.T) {
	c, err := collectors.NewVersion("shop")
	if err != nil {
		t.Fatal(err)
	}
	s := oneInfo(t, c)
	if got, _ := s.Labels.Get("goversion"); s.Name != "shop_build_info" || got != runtime.Version() {
		t.Errorf("%s%v", s.Name, s.Labels)
	}
	if _, ok := s.Labels.Get("branch"); ok {
		t.Errorf("a branch that was not set is shown: %v", s.Labels)
	}
	for _, name := range []string{"", "my shop", "1st"} {
		if _, err := collectors.NewVersion(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the program %q: error %v", name, err)
		}
	}
	if err := telltaletest.TestCollector(c); err != nil {
		t.Error(err)
	}
}

func TestVersionLabels(t *testing.T) {
	build := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "4f2a"}
	for name, c := range map[string]struct {
		build           *debug.BuildInfo
		version, branch string
		want            map[string]string
	}{
		"nothing known": {build(""), "", "", map[string]string{}},
		"committed":     {build("v1.2.3", revision, debug.BuildSetting{Key: "vcs.modified", Value: "false"}), "", "", map[string]string{"version": "v1.2.3", "revision": "4f2a"}},
		"changed":       {build("", revision, debug.BuildSetting{Key: "vcs.modified", Value: "true"}), "", "", map[string]string{"revision": "4f2a-dirty"}},
		"no repository": {build("(devel)", debug.BuildSetting{Key: "vcs.modified", Value: "true"}), "", "", map[string]string{"version": "(devel)"}},
		"by the linker": {build("v1.2.3", debug.BuildSetting{Key: "-tags", Value: "netgo"}), "1.4", "main", map[string]string{"version": "1.4", "branch": "main", "tags": "netgo"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := collectors.VersionLabels(c.build, c.version, c.branch).Map()
			maps.Copy(c.want, map[string]string{"goversion": runtime.Version(), "goos": runtime.GOOS, "goarch": runtime.GOARCH})
			if !maps.Equal(got, c.want) {
				t.Errorf("labels %v, want %v", got, c.want)
			}
		})
	}
}

// connector opens connections that can do nothing.
type connector struct{}

func (connector) Connect(context.Context) (driver.Conn, error) { return conn{}, nil }
func (connector) Driver() driver.Driver                        { return nil }

type conn struct{}

func (conn) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }
func (conn) Close() error                        { return nil }
func (conn) Begin() (driver.Tx, error)           { return nil, errors.ErrUnsupported }

type stats sql.DBStats

func (s stats) Stats() sql.DBStats { return sql.DBStats(s) }

func TestSQL(t *testing.T) {
	db := sql.OpenDB(connector{})
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(3)
	held, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	orders, err := collectors.NewSQL("orders", db)
	if err != nil {
		t.Fatal(err)
	}
	both, err := orders.Add("users", stats{
		MaxOpenConnections: 1, OpenConnections: 2, InUse: 3, Idle: 4, WaitCount: 5, WaitDuration: 1500 * time.Millisecond,
		MaxIdleClosed: 6, MaxIdleTimeClosed: 7, MaxLifetimeClosed: 8,
	})
	if err != nil {
		t.Fatal(err)
	}
	telltaletest.Compare(t, orders, `
		go_sql_max_open_connections{db_name="orders"} 3
		go_sql_open_connections{db_name="orders"} 1
		go_sql_in_use_connections{db_name="orders"} 1
		go_sql_idle_connections{db_name="orders"} 0
	`, "go_sql_max_open_connections", "go_sql_open_connections", "go_sql_in_use_connections", "go_sql_idle_connections")
	telltaletest.Golden(t, both, "testdata/sql.txt")
	for name, c := range map[string]telltale.Collector{"one": orders, "two": both} {
		if err := telltaletest.TestCollector(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	telltaletest.Lint(t, both)
	var none *sql.DB
	for name, source := range map[string]collectors.StatsSource{"nil": nil, "a nil *sql.DB": none} {
		if _, err := orders.Add("third", source); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := both.Add("users", db); err == nil || !strings.Contains(err.Error(), "users") {
		t.Errorf("a database that is there already: error %v", err)
	}
}

func publish(t *testing.T, name, value string) {
	t.Helper()
	if expvar.Get(name) == nil {
		expvar.Publish(name, expvar.Func(func() any { return json.RawMessage(value) }))
	}
}

func TestExpvar(t *testing.T) {
	publish(t, "test_number", "17.5")
	publish(t, "test_flag", "true")
	publish(t, "test_nested", `{"de": {"new": 1, "old": 2}, "fr": {"new": 3}}`)
	publish(t, "test_text", `"hello"`)
	publish(t, "test_negative", "-1")
	c, err := collectors.NewExpvar(
		collectors.Variable{Var: "test_number", Name: "number", Help: "A number.", Type: model.Gauge},
		collectors.Variable{Var: "test_flag", Name: "flag", Help: "A flag."},
		collectors.Variable{Var: "test_nested", Name: "orders_total", Help: "Orders.", Type: model.Counter, Labels: []string{"country", "customer"}},
		collectors.Variable{Var: "test_unpublished", Name: "later", Help: "Published later."},
	)
	if err != nil {
		t.Fatal(err)
	}
	telltaletest.Compare(t, c, `
		# TYPE number gauge
		number 17.5
		# TYPE flag untyped
		flag 1
		# TYPE orders_total counter
		orders_total{country="de",customer="new"} 1
		orders_total{country="de",customer="old"} 2
		orders_total{country="fr",customer="new"} 3
	`)
	if err := telltaletest.TestCollector(c); err != nil {
		t.Error(err)
	}
	for name, v := range map[string]collectors.Variable{
		"a text":             {Var: "test_text", Name: "x"},
		"a number as a map":  {Var: "test_number", Name: "x", Labels: []string{"a"}},
		"a map as a number":  {Var: "test_nested", Name: "x", Labels: []string{"a"}},
		"a negative counter": {Var: "test_negative", Name: "x", Type: model.Counter},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := collectors.NewExpvar(v, collectors.Variable{Var: "test_flag", Name: "flag"})
			if err != nil {
				t.Fatal(err)
			}
			all, err := families(t, c)
			if err == nil || !strings.Contains(err.Error(), v.Var) {
				t.Errorf("error %v, which does not name the variable", err)
			}
			if len(all) != 1 || all[0].Name != "flag" {
				t.Errorf("%d families, want only the sound one", len(all))
			}
		})
	}
	for name, v := range map[string]collectors.Variable{
		"no name":    {Var: "test_number"},
		"a type":     {Var: "test_number", Name: "x", Type: model.Histogram},
		"a label":    {Var: "test_number", Name: "x", Labels: []string{"a", "a"}},
		"too nested": {Var: "test_number", Name: "x", Labels: make([]string, 17)},
	} {
		if _, err := collectors.NewExpvar(v); err == nil || !strings.Contains(err.Error(), "test_number") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestLogCounter(t *testing.T) {
	reg := telltale.NewRegistry()
	var out bytes.Buffer
	next := slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug - 4})
	handler, records, err := collectors.NewLogCounter(next, telltale.In(reg), telltale.WithNamespace("shop"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(handler)
	for level, n := range map[slog.Level]int{slog.LevelDebug - 2: 1, slog.LevelDebug: 1, slog.LevelInfo + 1: 3, slog.LevelError: 4, slog.LevelError + 8: 1} {
		for range n {
			log.With("a", 1).WithGroup("g").Log(t.Context(), level, "message")
		}
	}
	log.Log(t.Context(), slog.LevelDebug-8, "below the level of the handler")
	telltaletest.Compare(t, reg, `
		shop_log_records_total{level="debug"} 2
		shop_log_records_total{level="info"} 3
		shop_log_records_total{level="warn"} 0
		shop_log_records_total{level="error"} 5
	`)
	if got := records.With("error").Value(); got != 5 {
		t.Errorf("%v errors", got)
	}
	if n := strings.Count(out.String(), "\n"); n != 10 {
		t.Errorf("%d records reached the next handler, want 10", n)
	}
	if _, _, err := collectors.NewLogCounter(nil); err == nil {
		t.Error("no error without a handler")
	}
}

// The handler behaves as package slog demands.
func TestLogCounterIsAHandler(t *testing.T) {
	var out bytes.Buffer
	handler, _, err := collectors.NewLogCounter(slog.NewJSONHandler(&out, nil), telltale.Unregistered())
	if err != nil {
		t.Fatal(err)
	}
	err = slogtest.TestHandler(handler, func() []map[string]any {
		var records []map[string]any
		for line := range strings.Lines(out.String()) {
			var r map[string]any
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			records = append(records, r)
		}
		return records
	})
	if err != nil {
		t.Error(err)
	}
}
