package collectors

import "telltale/model"

// cell is a family of a single series without labels, filled at each collect.
// Cells are kept in pools, so collecting allocates little and needs no lock.
type cell struct {
	family *model.Family
	point  model.Point
}

// newCell returns a cell with the header's name and help, and the samples that
// restrictions of the header left.
func newCell(header *model.Family) *cell {
	c := &cell{point: model.Point{Has: header.Type.Parts() &^ model.PartCreated}}
	c.family = header.WithPoints(c)
	return c
}

// VisitPoints visits the one point.
func (c *cell) VisitPoints(_ *model.Point, visit func(*model.Point) error) error {
	return visit(&c.point)
}
