package scrapehttp

import "fmt"

// call calls a hook of the program, if there is one. A hook that panics must not
// take down the server or abort a page, so its panic comes back as an error.
func call[T any](hook func(T), argument T) (err error) {
	if hook == nil {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("scrapehttp: a hook panicked: %v", p)
		}
	}()
	hook(argument)
	return nil
}
