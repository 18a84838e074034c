package segment

import "telltale/internal/cell"

// Places says where the rows of a segment's families lie, as [Contents] is told
// of their blocks. The zero Places knows of none.
type Places struct{ blocks map[uint32][]placed }

// placed is a block of rows, and where it lies.
type placed struct {
	offset uint64
	rows   uint32
}

// Add takes note of a block.
func (p *Places) Add(f *Family, offset uint64, rows uint32) {
	if p.blocks == nil {
		p.blocks = make(map[uint32][]placed)
	}
	p.blocks[f.Number] = append(p.blocks[f.Number], placed{offset, rows})
}

// Row returns the first word of a family's row, nil if it is not there.
func (p *Places) Row(s Space, f *Family, row uint32) *cell.Word {
	for _, b := range p.blocks[f.Number] {
		if row < b.rows {
			size := uint64(f.Words()) * 8
			if bytes := s.Bytes(b.offset+uint64(row)*size, size); bytes != nil {
				return WordAt(bytes, 0)
			}
			return nil
		}
		row -= b.rows
	}
	return nil
}
