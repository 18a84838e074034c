// Package bounded keeps values for the first keys that it is given, such as routes and
// methods that clients may choose, so that later ones take no memory.
package bounded

import "sync"

// Map has values for at most a number of keys: the first ones. Nothing leaves it. It
// is safe for concurrent use; lookups do not keep each other waiting, also when it is
// full.
type Map[K comparable, V any] struct {
	most int

	mu     sync.RWMutex
	values map[K]V
}

// NewMap returns an empty map that has room for the given number of keys.
func NewMap[K comparable, V any](most int) *Map[K, V] {
	return &Map[K, V]{most: most, values: make(map[K]V)}
}

// Get returns the value of a key, and whether it has one. room is whether [Map.Add]
// may give it one.
func (m *Map[K, V]) Get(key K) (value V, ok, room bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	value, ok = m.values[key]
	return value, ok, len(m.values) < m.most
}

// Add gives a key a value unless it has one, and returns the one that it has then. ok
// is false if there is no room for the key. The map keeps the key: one that lies in a
// caller's buffer must be a copy.
func (m *Map[K, V]) Add(key K, value V) (have V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if have, ok := m.values[key]; ok {
		return have, true
	}
	if len(m.values) >= m.most {
		return have, false
	}
	m.values[key] = value
	return value, true
}
