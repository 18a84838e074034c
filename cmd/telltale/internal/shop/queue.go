package shop

import (
	"context"
	"time"
)

// order waits to be packed.
type order struct{ product string }

// enqueue reports whether there was room for the order.
func (s *Shop) enqueue(o order) bool {
	select {
	case s.queue <- o:
	default:
		return false
	}
	s.look()
	return true
}

// work packs orders until ctx is done.
func (s *Shop) work(ctx context.Context, name string) {
	packed := s.metrics.packed.With(name)
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-s.queue:
			s.metrics.packing.Time(func() { s.pack(o) })
			packed.Inc()
			s.look()
		}
	}
}

func (s *Shop) pack(o order) {
	take(50*time.Millisecond, 400*time.Millisecond)
	s.mu.Lock()
	s.stock[o.product]--
	left := s.stock[o.product]
	s.mu.Unlock()
	s.metrics.stock.With(o.product).Dec()
	if left == 0 {
		s.restock(o.product)
	}
}

// restock fills the shelf of a product.
func (s *Shop) restock(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metrics.stock.With(name).Add(float64(stocked - s.stock[name]))
	s.stock[name] = stocked
}

// look sets the state of the shop by the length of the queue.
func (s *Shop) look() {
	state := stateOpen
	if len(s.queue) > cap(s.queue)/5 {
		state = stateBusy
	}
	_ = s.metrics.state.Set(state) // a state that it has
}
