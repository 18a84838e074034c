package main

import (
	"errors"
	"regexp"
)

// quoted matches what errors of YAML and of its readers quote of a file.
var quoted = regexp.MustCompile("(?s)`.*?`|\"(?:[^\"\\\\]|\\\\.)*\"|'.'")

// withoutValues returns the error of a file that may have passwords, without what the
// error repeats of the file. The names of its fields stay.
func withoutValues(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(quoted.ReplaceAllString(err.Error(), "(not shown)"))
}
