package thirdparty

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"testing"
	"time"

	pgxpoolprometheus "github.com/IBM/pgxpoolprometheus"
	provider "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	grpcprometheus "github.com/grpc-ecosystem/go-grpc-prometheus"
	"github.com/hashicorp/go-metrics"
	metricsprometheus "github.com/hashicorp/go-metrics/prometheus"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// serve runs the program: it makes its metrics, registered with reg, serves some calls
// and ends. go-grpc-prometheus counts the same calls in the default registry.
func serve(t *testing.T, reg prometheus.Registerer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	serveCalls(ctx, t, reg)
	usePostgres(ctx, t, reg)
	usePool(ctx, t, reg)
	sink, err := metricsprometheus.NewPrometheusSinkFrom(metricsprometheus.PrometheusOpts{Registerer: reg})
	if err != nil {
		t.Fatal(err)
	}
	sink.IncrCounterWithLabels([]string{"raft", "apply"}, 3, []metrics.Label{{Name: "peer_id", Value: `a "quoted" \ value`}})
	sink.SetGauge([]string{"raft", "peers"}, 5)
	for _, ms := range []float32{0.5, 1, 2.25} {
		sink.AddSample([]string{"raft", "commit"}, ms)
	}
}

// serveCalls serves unary calls, a failing one among them, and a stream.
func serveCalls(ctx context.Context, t *testing.T, reg prometheus.Registerer) {
	t.Helper()
	exemplar := provider.WithExemplarFromContext(func(context.Context) prometheus.Labels { return prometheus.Labels{"trace_id": "4bf92f"} })
	server := provider.NewServerMetrics(provider.WithServerHandlingTimeHistogram(provider.WithHistogramBuckets([]float64{0.001, 1, 60})))
	client := provider.NewClientMetrics(provider.WithClientHandlingTimeHistogram())
	// Both packages count by the same names.
	prometheus.WrapRegistererWithPrefix("provider_", reg).MustRegister(server)
	prometheus.WrapRegistererWith(prometheus.Labels{"pool": "health"}, reg).MustRegister(client)
	s := grpc.NewServer(
		grpc.ChainUnaryInterceptor(server.UnaryServerInterceptor(exemplar), grpcprometheus.UnaryServerInterceptor),
		grpc.ChainStreamInterceptor(server.StreamServerInterceptor(exemplar), grpcprometheus.StreamServerInterceptor))
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	server.InitializeMetrics(s)
	grpcprometheus.Register(s)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	defer func() {
		s.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithChainUnaryInterceptor(client.UnaryClientInterceptor()), grpc.WithChainStreamInterceptor(client.StreamClientInterceptor()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	asked := grpc_health_v1.NewHealthClient(conn)
	for range 3 {
		if _, err := asked.Check(ctx, &grpc_health_v1.HealthCheckRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := asked.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "nobody's"}); err == nil {
		t.Fatal("an unknown service is healthy")
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	watch, err := asked.Watch(watching, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Recv(); err != nil {
		t.Fatal(err)
	}
}

// usePostgres takes connections of a pool to a server that accepts any user.
func usePostgres(ctx context.Context, t *testing.T, reg prometheus.Registerer) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go postgres(conn)
		}
	}()
	pool, err := pgxpool.New(ctx, "postgres://shop@"+listener.Addr().String()+"/orders?sslmode=disable&pool_max_conns=2")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	reg.MustRegister(pgxpoolprometheus.NewCollector(pool, map[string]string{"db_name": "orders"}))
	for range 5 {
		if err := pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error { return c.Ping(ctx) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := pgx.BeginFunc(ctx, pool, func(pgx.Tx) error { return errors.New("rolled back") }); err == nil {
		t.Fatal("a transaction that failed is committed")
	}
}

// postgres answers every query with nothing.
func postgres(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	server := pgproto3.NewBackend(conn, conn)
	if _, err := server.ReceiveStartupMessage(); err != nil {
		return
	}
	server.Send(&pgproto3.AuthenticationOk{})
	for {
		server.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if server.Flush() != nil {
			return
		}
		message, err := server.Receive()
		if err != nil {
			return
		}
		if _, ok := message.(*pgproto3.Query); ok {
			server.Send(&pgproto3.EmptyQueryResponse{})
		}
	}
}

// usePool holds a connection of a pool of database/sql.
func usePool(ctx context.Context, t *testing.T, reg prometheus.Registerer) {
	t.Helper()
	db := sql.OpenDB(connector{})
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	reg.MustRegister(collectors.NewDBStatsCollector(db, "sessions"))
	held, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if _, err := db.Conn(short); err == nil { // waits in vain
		t.Fatal("a pool of one connection has two")
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
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
