package main

import (
	"fmt"
	"net/http/httptest"
	"testing"
)

// Requests with any methods make only a few series.
func TestMethodsFromOutside(t *testing.T) {
	for i := range 500 {
		count(nil, httptest.NewRequest(fmt.Sprint("M", i), "/", nil))
		count(nil, httptest.NewRequest("GET", "/", nil))
	}
	if get, other := requests.With("GET").Value(), requests.With("other").Value(); get != 500 || other != 500 || requests.Len() != 2 {
		t.Errorf("%v GET and %v others in %d series", get, other, requests.Len())
	}
}
