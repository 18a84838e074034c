package unfit_test

import (
	"errors"
	"strings"
	"testing"

	"telltale/internal/unfit"
)

func TestErrorsOfListsAreBounded(t *testing.T) {
	l := unfit.NewList("bridge")
	l.Add(nil)
	if err := l.Err(); err != nil {
		t.Errorf("an empty list is the error %v", err)
	}
	whole, why := errors.New("whole"), errors.New("why")
	l.Add(whole)
	for range unfit.MaxNamed + 3 {
		l.LeaveOut("jobs", why)
	}
	err := l.Err()
	if !errors.Is(err, whole) || !errors.Is(err, why) {
		t.Errorf("the error %v does not wrap its parts", err)
	}
	if n := strings.Count(err.Error(), `bridge: a metric of "jobs" is left out: why`); n != unfit.MaxNamed {
		t.Errorf("%d are named", n)
	}
	if !strings.HasSuffix(err.Error(), "bridge: 3 more metrics are left out") {
		t.Errorf("the error %v does not say how many more", err)
	}
	if again := l.Err(); again.Error() != err.Error() {
		t.Errorf("the second error is %v", again)
	}
}
