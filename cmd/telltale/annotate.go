package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"telltale/exposition"
)

// annotated is a flag of verbs that find errors in files.
type annotated struct {
	Annotate *bool `help:"Report errors as GitHub reads them, to show them beside the lines of files: ::error file=...,line=...::... Without the flag, if the environment variable GITHUB_ACTIONS is true." negatable:""`
}

// annotates reports whether errors are to be annotations.
func (a *annotated) annotates() bool {
	if a.Annotate != nil {
		return *a.Annotate
	}
	return os.Getenv("GITHUB_ACTIONS") == "true"
}

// annotation is an error in the form of GitHub's workflow commands. What it holds is
// escaped, so that a page cannot end it and begin a command of its own.
type annotation struct {
	page         string // as on the command line
	line, column int    // from 1; 0 if not known
	title        string
	text         string
}

var (
	inMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	inProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// String returns the line to print.
func (a annotation) String() string {
	var properties []string
	add := func(name, value string) { properties = append(properties, name+"="+inProperty.Replace(value)) }
	if a.page != "-" && !isFetched(a.page) {
		add("file", a.page)
		if a.line > 0 {
			add("line", fmt.Sprint(a.line))
		}
		if a.column > 0 {
			add("col", fmt.Sprint(a.column))
		}
	}
	add("title", a.title)
	return "::error " + strings.Join(properties, ",") + "::" + inMessage.Replace(a.text)
}

// annotationOf returns the annotation of an error of a page, whose text is printable
// and may have several lines.
func annotationOf(page, title string, err error, text string) annotation {
	a := annotation{page: page, title: title, text: text}
	var wrong *exposition.SyntaxError
	if errors.As(err, &wrong) {
		a.line, a.column = wrong.Line, wrong.Column
	}
	return a
}
