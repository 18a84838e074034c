package main

import "testing"

// TestLifetimesLeaveTheLiving plays all lifetimes on a set.
func TestLifetimesLeaveTheLiving(t *testing.T) {
	const living = 100
	for _, l := range []lifetimes{allAtOnce, exponential, heavyTailed, inBatches, adverse} {
		t.Run(string(l), func(t *testing.T) {
			alive, created, peak := make(map[labelValues]bool), 0, 0
			err := l.play(living, churned{
				create: func(values labelValues) {
					if alive[values] {
						t.Errorf("%v was created twice", values)
					}
					alive[values] = true
					created++
					peak = max(peak, len(alive))
				},
				remove: func(values labelValues) bool {
					was := alive[values]
					delete(alive, values)
					return was
				},
			})
			if err != nil || len(alive) != living {
				t.Errorf("%d are alive, want %d; %v", len(alive), living, err)
			}
			wantCreated, wantPeak := turnover*living, living
			switch l {
			case allAtOnce:
				wantCreated = living
			case adverse:
				wantPeak = turnover * living
			}
			if created != wantCreated || peak != wantPeak {
				t.Errorf("%d created and %d at once, want %d and %d", created, peak, wantCreated, wantPeak)
			}
		})
	}
	if err := exponential.play(living, churned{func(labelValues) {}, func(labelValues) bool { return false }}); err == nil {
		t.Error("series that are not there were removed")
	}
	for _, p := range []plan{fullPlan(), quickPlan(), tinyPlan()} {
		if p.living%batches != 0 {
			t.Errorf("%d series cannot be divided into %d batches", p.living, batches)
		}
	}
}
