package collectors

import (
	"context"
	"database/sql"
	"fmt"

	"telltale"
	"telltale/model"
)

// SQL is a collector of the connection pools of databases. [NewSQL] makes it. It
// is safe for concurrent use.
type SQL struct{ pools []pool }

// pool is the connection pool of a database.
type pool struct {
	labels model.Labels
	db     StatsSource
}

// StatsSource provides the statistics of a pool, as a [*sql.DB] does.
type StatsSource interface{ Stats() sql.DBStats }

var _ telltale.Describer = (*SQL)(nil)

// NewSQL returns a collector of a database's connection pool, with client_golang's
// names and the label db_name:
//
//	go_sql_max_open_connections                limit of open connections, 0 for none
//	go_sql_open_connections                    open connections
//	go_sql_in_use_connections                  of these, in use
//	go_sql_idle_connections                    of these, idle
//	go_sql_wait_count_total                    waits for a connection
//	go_sql_wait_duration_seconds_total         time spent waiting
//	go_sql_max_idle_closed_total               connections closed because of SetMaxIdleConns
//	go_sql_max_idle_time_closed_total          connections closed because of SetConnMaxIdleTime
//	go_sql_max_lifetime_closed_total           connections closed because of SetConnMaxLifetime
//
// [SQL.Add] adds further databases to the families. NewSQL returns an error if
// db is nil.
func NewSQL(name string, db StatsSource) (*SQL, error) {
	return (&SQL{}).Add(name, db)
}

// Add returns a collector of the databases of s and of another one. It returns
// an error if db is nil or s has a database of that name. The collector s does
// not change.
func (s *SQL) Add(name string, db StatsSource) (*SQL, error) {
	if pool, ok := db.(*sql.DB); db == nil || ok && pool == nil {
		return nil, fmt.Errorf("collectors: the database %q is nil", name)
	}
	labels := model.LabelPairs([]string{"db_name"}, []string{name})
	for _, p := range s.pools {
		if p.labels == labels {
			return nil, fmt.Errorf("collectors: there is a database %q already", name)
		}
	}
	return &SQL{append(s.pools[:len(s.pools):len(s.pools)], pool{labels, db})}, nil
}

// sqlFamilies are the families of a pool and the functions that read them.
var sqlFamilies = []struct {
	name, unit, help string
	typ              model.Type
	value            func(*sql.DBStats) float64
}{
	{"go_sql_max_open_connections", "", "Limit of open connections to the database, 0 for none.", model.Gauge, func(s *sql.DBStats) float64 { return float64(s.MaxOpenConnections) }},
	{"go_sql_open_connections", "", "Open connections, in use and idle.", model.Gauge, func(s *sql.DBStats) float64 { return float64(s.OpenConnections) }},
	{"go_sql_in_use_connections", "", "Connections in use.", model.Gauge, func(s *sql.DBStats) float64 { return float64(s.InUse) }},
	{"go_sql_idle_connections", "", "Idle connections.", model.Gauge, func(s *sql.DBStats) float64 { return float64(s.Idle) }},
	{"go_sql_wait_count", "", "Waits for a connection.", model.Counter, func(s *sql.DBStats) float64 { return float64(s.WaitCount) }},
	{"go_sql_wait_duration_seconds", "seconds", "Time spent waiting for a connection.", model.Counter, func(s *sql.DBStats) float64 { return s.WaitDuration.Seconds() }},
	{"go_sql_max_idle_closed", "", "Connections closed because of SetMaxIdleConns.", model.Counter, func(s *sql.DBStats) float64 { return float64(s.MaxIdleClosed) }},
	{"go_sql_max_idle_time_closed", "", "Connections closed because of SetConnMaxIdleTime.", model.Counter, func(s *sql.DBStats) float64 { return float64(s.MaxIdleTimeClosed) }},
	{"go_sql_max_lifetime_closed", "", "Connections closed because of SetConnMaxLifetime.", model.Counter, func(s *sql.DBStats) float64 { return float64(s.MaxLifetimeClosed) }},
}

// Describe returns the families without samples. It reads nothing.
func (s *SQL) Describe() []*model.Family {
	var families []*model.Family
	for _, f := range sqlFamilies {
		families = append(families, &model.Family{Name: f.name, Help: f.help, Unit: f.unit, Type: f.typ})
	}
	return families
}

// Collect reads the statistics of each pool once, and emits the families one by
// one. It returns only errors of ctx and of emit.
func (s *SQL) Collect(ctx context.Context, emit func(*model.Family) error) error {
	stats := make([]sql.DBStats, len(s.pools))
	for i, p := range s.pools {
		stats[i] = p.db.Stats()
	}
	for i, f := range s.Describe() {
		if err := ctx.Err(); err != nil {
			return err
		}
		for at, p := range s.pools {
			f.Append(model.Point{
				Labels: p.labels, Has: f.Type.Parts() &^ model.PartCreated,
				Value: sqlFamilies[i].value(&stats[at]),
			})
		}
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}
