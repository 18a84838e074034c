package main

import (
	"sync"
	"testing"
	"time"

	"telltale"
	"telltale/telltaletest"
)

// waitFor waits until a sample has a value.
func waitFor(t *testing.T, reg *telltale.Registry, name string, labels map[string]string, want float64) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); telltaletest.Value(t, reg, name, labels) != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s%v is %v, want %v", name, labels, telltaletest.Value(t, reg, name, labels), want)
		}
	}
}

// Requests that wait for a connection are seen while they wait, and afterwards as waits
// and the time that they took.
func TestWaitsForConnectionsAreSeen(t *testing.T) {
	s, reg := newTest(t, map[string]float64{"EUR": 1})
	s.db.SetMaxOpenConns(1)
	pool := map[string]string{"db_name": "orders"}
	held, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const clients, each = 8, 10
	var requests sync.WaitGroup
	for range clients {
		requests.Go(func() {
			for range each {
				if code, answer := request(s, "POST", "/orders", `{"item": "lamp", "cents": 1999, "currency": "EUR"}`); code != 202 {
					t.Errorf("%d %s", code, answer)
				}
			}
		})
	}
	waitFor(t, reg, "go_sql_wait_count_total", pool, clients)
	telltaletest.Compare(t, reg, `
		http_server_in_flight_requests 8
		go_sql_max_open_connections{db_name="orders"} 1
		go_sql_open_connections{db_name="orders"} 1
		go_sql_in_use_connections{db_name="orders"} 1
		go_sql_idle_connections{db_name="orders"} 0
	`, "http_server_in_flight_requests", "go_sql_max_open_connections", "go_sql_open_connections", "go_sql_in_use_connections", "go_sql_idle_connections")
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	requests.Wait()
	s.close()
	if n := telltaletest.Value(t, reg, "go_sql_wait_count_total", pool); n < clients {
		t.Errorf("%v waits of %d requests that had to wait", n, clients)
	}
	if seconds := telltaletest.Value(t, reg, "go_sql_wait_duration_seconds_total", pool); seconds <= 0 {
		t.Errorf("requests that had to wait waited %v s", seconds)
	}
	telltaletest.Compare(t, reg, `
		http_server_in_flight_requests 0
		shop_orders_total{currency="EUR"} 80
		shop_jobs_total{result="priced"} 80
		shop_jobs_total{result="failed"} 0
		shop_jobs_total{result="other"} 0
	`, "http_server_in_flight_requests", "shop_orders_total", "shop_jobs_total")
}
