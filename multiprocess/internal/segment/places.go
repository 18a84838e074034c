package segment

import (
	"slices"

	"telltale/internal/cell"
)

// Places says where the rows of a segment's families lie, as [Contents] is told
// of their blocks. The zero Places knows of none.
type Places struct{ blocks map[uint32][]placed }

// placed is a block of rows, and where it lies.
type placed struct {
	offset     uint64
	from, rows uint32
}

// Add takes note of a block.
func (p *Places) Add(f *Family, offset uint64, rows uint32) {
	if p.blocks == nil {
		p.blocks = make(map[uint32][]placed)
	}
	blocks := p.blocks[f.Number]
	from := uint32(0)
	if n := len(blocks); n > 0 {
		from = blocks[n-1].from + blocks[n-1].rows
	}
	p.blocks[f.Number] = append(blocks, placed{offset, from, rows})
}

// Offset returns where a family's row lies, and false if there is no such row.
func (p *Places) Offset(f *Family, row uint32) (offset uint64, ok bool) {
	blocks := p.blocks[f.Number]
	i, _ := slices.BinarySearchFunc(blocks, uint64(row)+1, func(b placed, row uint64) int {
		if uint64(b.from) < row {
			return -1
		}
		return 1
	})
	if i == 0 || row-blocks[i-1].from >= blocks[i-1].rows {
		return 0, false
	}
	b := blocks[i-1]
	return b.offset + uint64(row-b.from)*uint64(f.Words())*8, true
}

// Row returns the first word of a family's row, nil if it is not there.
func (p *Places) Row(s Space, f *Family, row uint32) *cell.Word {
	offset, ok := p.Offset(f, row)
	if !ok {
		return nil
	}
	bytes := s.Bytes(offset, uint64(f.Words())*8)
	if bytes == nil {
		return nil
	}
	return WordAt(bytes, 0)
}
