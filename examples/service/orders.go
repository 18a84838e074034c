package main

import (
	"context"
	"database/sql"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// order is an order, as it is sent and kept. Euros is 0 until it is priced.
type order struct {
	ID       int64   `json:"id"`
	Item     string  `json:"item"`
	Cents    int64   `json:"cents"`
	Currency string  `json:"currency"`
	Euros    float64 `json:"euros,omitempty"`
}

// maxConnections is how many connections to the database are open at most; requests
// wait for one, which go_sql_wait_count_total counts.
const maxConnections = 4

// openOrders opens the database in a file and makes its table.
func openOrders(file string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(maxConnections)
	_, err = db.Exec(`CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, item TEXT, cents INTEGER, currency TEXT, euros REAL NOT NULL DEFAULT 0)`)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// add keeps an order and returns its number.
func (s *service) add(ctx context.Context, o order) (id int64, err error) {
	result, err := s.db.ExecContext(ctx, `INSERT INTO orders (item, cents, currency) VALUES (?, ?, ?)`, o.Item, o.Cents, o.Currency)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// find returns an order, or sql.ErrNoRows.
func (s *service) find(ctx context.Context, id int64) (o order, err error) {
	row := s.db.QueryRowContext(ctx, `SELECT id, item, cents, currency, euros FROM orders WHERE id = ?`, id)
	return o, row.Scan(&o.ID, &o.Item, &o.Cents, &o.Currency, &o.Euros)
}

// price keeps what an order costs.
func (s *service) price(ctx context.Context, id int64, euros float64) error {
	_, err := s.db.ExecContext(ctx, `UPDATE orders SET euros = ? WHERE id = ?`, euros, id)
	return err
}
