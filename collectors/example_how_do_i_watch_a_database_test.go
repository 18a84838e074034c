package collectors_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"telltale"
	"telltale/collectors"
)

// nowhere is a database that accepts connections and nothing else.
type nowhere struct{}

func (nowhere) Connect(context.Context) (driver.Conn, error) { return nowhere{}, nil }
func (nowhere) Driver() driver.Driver                        { return nil }
func (nowhere) Prepare(string) (driver.Stmt, error)          { return nil, errors.ErrUnsupported }
func (nowhere) Begin() (driver.Tx, error)                    { return nil, errors.ErrUnsupported }
func (nowhere) Close() error                                 { return nil }

// The pool of a database shows how many connections are in use, and how long callers wait
// for one. Further databases have the same families, and a label of their own.
func ExampleNewSQL() {
	orders, archive := sql.OpenDB(nowhere{}), sql.OpenDB(nowhere{}) // in a program: sql.Open
	defer func() { _ = errors.Join(orders.Close(), archive.Close()) }()
	orders.SetMaxOpenConns(8)

	pools, err := collectors.NewSQL("orders", orders)
	if err == nil {
		pools, err = pools.Add("archive", archive)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	reg := telltale.NewRegistry()
	if err := reg.Register(pools); err != nil {
		fmt.Println(err)
		return
	}

	conn, err := orders.Conn(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = conn.Close() }()
	for _, name := range []string{"go_sql_max_open_connections", "go_sql_in_use_connections"} {
		for _, db := range []string{"orders", "archive"} {
			value, _ := reg.SampleValue(name, map[string]string{"db_name": db})
			fmt.Println(name, db, value)
		}
	}
	// Output:
	// go_sql_max_open_connections orders 8
	// go_sql_max_open_connections archive 0
	// go_sql_in_use_connections orders 1
	// go_sql_in_use_connections archive 0
}
