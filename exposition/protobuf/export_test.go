package protobuf

// Forget has the scanner read the next series as if it had seen none before.
func (s *Scanner) Forget() { s.names = names{} }

// Remembered returns how many bytes the scanner keeps of label names that it has
// read, and how many names of the series that it has read last were among them.
func (s *Scanner) Remembered() (bytes, names int) {
	for _, k := range s.names.known[:cap(s.names.known)] {
		bytes += cap(k.head) + cap(k.text)
	}
	return bytes, min(s.names.place, len(s.names.known))
}
