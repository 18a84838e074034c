package spool

// maxBudget is how many files are held open at once, where the limits of the
// process allow far more.
const maxBudget = 256

// Budget returns how many files a fold may hold open at once: from 1 to 256, and
// no more than a quarter of the descriptors that the process has left. The program
// that it runs in needs the others.
func (d *Dir) Budget() int {
	left, ok := descriptors()
	if !ok {
		return maxBudget
	}
	return max(1, min(left/4, maxBudget))
}
