package board

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Order is what rows are sorted by.
type Order int

// The orders. ByPage is that of the targets' pages; the others put equal rows in it.
const (
	ByPage Order = iota
	ByName
	ByValue // the largest first
	ByRate  // the largest first, series without a rate last
	orders
)

// String returns the order's name, as ParseOrder takes it.
func (o Order) String() string { return [...]string{"page", "name", "value", "rate"}[o] }

// Next returns the order behind this one, and behind the last the first.
func (o Order) Next() Order { return (o + 1) % orders }

// ParseOrder returns the order with a name.
func ParseOrder(name string) (Order, bool) {
	for o := range orders {
		if o.String() == name {
			return o, true
		}
	}
	return 0, false
}

// Rows returns the rows that have all words of a filter in their names, labels or
// types, upper and lower case alike.
func (b *Board) Rows(filter string, by Order, reverse bool) []*Row {
	words := strings.Fields(strings.ToLower(filter))
	rows := make([]*Row, 0, len(b.rows))
	for _, r := range b.rows {
		if r.has(words) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(x, y *Row) int {
		c := 0
		switch by {
		case ByName:
			c = cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Labels, y.Labels))
		case ByValue:
			c = descending(x.Value, y.Value)
		case ByRate:
			c = descending(x.Rate, y.Rate)
		}
		if reverse {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(x.Target, y.Target), cmp.Compare(x.order, y.order), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Labels, y.Labels))
	})
	return rows
}

// descending puts larger numbers first and NaN last.
func descending(x, y float64) int {
	switch {
	case math.IsNaN(x) && math.IsNaN(y):
		return 0
	case math.IsNaN(x):
		return 1
	case math.IsNaN(y):
		return -1
	}
	return cmp.Compare(y, x)
}

func (r *Row) has(words []string) bool {
	if len(words) == 0 {
		return true
	}
	text := strings.ToLower(r.Series() + " " + r.Type.String())
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// Series returns the name with the labels, as on a page.
func (r *Row) Series() string {
	if r.Labels == "" {
		return r.Name
	}
	return r.Name + "{" + r.Labels + "}"
}
