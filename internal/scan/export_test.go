package scan

// Forget has the scanner read the next line as if it had seen none before.
func (s *Scanner) Forget() { s.shapes = shapes{} }

// Recalled reports whether the line that was read last has the shape of one before.
func (s *Scanner) Recalled() bool {
	l := s.Entry.Labels.text
	return len(l) > 0 && (len(s.own.text) == 0 || &l[0] != &s.own.text[0])
}

// Remembered returns how many bytes the scanner keeps of lines that it has read.
func (s *Scanner) Remembered() (bytes int) {
	for i := range s.shapes.kept {
		k := &s.shapes.kept[i]
		bytes += cap(k.literals) + cap(k.name) + cap(k.pieces)*pieceBytes
	}
	return bytes
}

const pieceBytes = 5 * 8
