package bounded

// Read calls f as in the middle of a lookup.
func (m *Map[K, V]) Read(f func()) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	f()
}
