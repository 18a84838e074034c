package inject

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"syscall"

	"telltale/internal/mapped"
)

// MaxRules is how many rules a text may have.
const MaxRules = 1000

// MaxLine is how many bytes a line of the text may have.
const MaxLine = 1000

// AnyOperation stands for all operations in a [Rule].
const AnyOperation mapped.Op = 0

// Rule makes operations fail.
type Rule struct {
	Kill  bool          // the process ends before the operation
	Short bool          // half of the bytes are read, written or reserved
	Err   syscall.Errno // with which the operation ends; 0 if it does not fail

	Op   mapped.Op // AnyOperation: all
	Name string    // pattern of path.Match

	From uint64 // the first operation that the rule is for, counted from 1
	Only bool   // it is for no later one
}

// failures are the errors that rules can name.
var failures = []struct {
	name  string
	errno syscall.Errno
}{
	{"EACCES", syscall.EACCES}, {"EDQUOT", syscall.EDQUOT}, {"EIO", syscall.EIO},
	{"EMFILE", syscall.EMFILE}, {"ENFILE", syscall.ENFILE}, {"ENOENT", syscall.ENOENT}, {"ENOMEM", syscall.ENOMEM},
	{"ENOSPC", syscall.ENOSPC}, {"EPERM", syscall.EPERM}, {"EROFS", syscall.EROFS},
}

// errnoOf returns the error of a name.
func errnoOf(name string) (syscall.Errno, error) {
	names := make([]string, len(failures))
	for i, f := range failures {
		if f.name == name {
			return f.errno, nil
		}
		names[i] = f.name
	}
	return 0, fmt.Errorf("%q is no error; there are %s", name, strings.Join(names, ", "))
}

func nameOf(errno syscall.Errno) string {
	for _, f := range failures {
		if f.errno == errno {
			return f.name
		}
	}
	return "errno " + strconv.Itoa(int(errno))
}

// operationOf returns the operation of a name.
func operationOf(name string) (mapped.Op, error) {
	if name == "*" {
		return AnyOperation, nil
	}
	var names []string
	for _, op := range mapped.Ops() {
		if op.String() == name {
			return op, nil
		}
		names = append(names, op.String())
	}
	return 0, fmt.Errorf("%q is no operation; there are %s, and * for any", name, strings.Join(names, ", "))
}

// Partial reports whether an operation can be carried out in part.
func Partial(op mapped.Op) bool {
	return op == mapped.OpRead || op == mapped.OpWrite || op == mapped.OpExtend
}

// ParseRule parses one rule.
func ParseRule(text string) (r Rule, err error) {
	words := strings.FieldsFunc(text, isSpace)
	next := func() (word string) {
		if len(words) > 0 {
			word, words = words[0], words[1:]
		}
		return word
	}
	skip := func(word string) bool {
		there := len(words) > 0 && words[0] == word
		if there {
			next()
		}
		return there
	}
	if r.Kill = skip("kill"); r.Kill {
		if !skip("before") {
			return r, errors.New(`after "kill" there has to be "before"`)
		}
	} else {
		r.Short = skip("short")
		if !r.Short || len(words) > 1 && words[1] == "on" {
			if r.Err, err = errnoOf(next()); err != nil {
				return r, fmt.Errorf(`a rule begins with an error, "short" or "kill before": %w`, err)
			}
			if !skip("on") {
				return r, fmt.Errorf(`after %s there has to be "on"`, nameOf(r.Err))
			}
		}
	}
	if r.Op, err = operationOf(next()); err != nil {
		return r, err
	}
	if r.Short && !Partial(r.Op) {
		return r, errors.New("only read, write and extend can be short")
	}
	if r.Name = next(); r.Name == "" {
		return r, errors.New("there is no pattern for names after the operation")
	}
	if _, err := path.Match(r.Name, ""); err != nil {
		return r, fmt.Errorf("%q is no pattern for names", r.Name)
	}
	r.From = 1
	if count := next(); count != "" {
		number, later := strings.CutSuffix(count, "+")
		r.Only = !later
		if r.From, err = strconv.ParseUint(number, 10, 32); err != nil || r.From == 0 {
			return r, fmt.Errorf("%q is no count: it is a number from 1 on, with a + behind for later ones too", count)
		}
	}
	if len(words) > 0 {
		return r, fmt.Errorf("%q is too much", strings.Join(words, " "))
	}
	return r, nil
}

// String returns the rule as ParseRule takes it.
func (r Rule) String() string {
	var b strings.Builder
	if r.Short {
		b.WriteString("short ")
	}
	switch {
	case r.Kill:
		b.WriteString("kill before ")
	case r.Err != 0:
		b.WriteString(nameOf(r.Err) + " on ")
	}
	b.WriteString(operationName(r.Op) + " " + r.Name)
	switch {
	case r.Only:
		fmt.Fprintf(&b, " %d", r.From)
	case r.From > 1:
		fmt.Fprintf(&b, " %d+", r.From)
	}
	return b.String()
}

func operationName(op mapped.Op) string {
	if op == AnyOperation {
		return "*"
	}
	return op.String()
}

// parseRules parses a text of rules.
func parseRules(text string) (rules []Rule, err error) {
	for number, line := range strings.Split(text, "\n") {
		if len(line) > MaxLine {
			return nil, fmt.Errorf("line %d has %d bytes, and at most %d are read", number+1, len(line), MaxLine)
		}
		line = withoutComment(line)
		if strings.TrimFunc(line, isSpace) == "" {
			continue
		}
		r, err := ParseRule(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number+1, err)
		}
		if rules = append(rules, r); len(rules) > MaxRules {
			return nil, fmt.Errorf("line %d: there are more than %d rules", number+1, MaxRules)
		}
	}
	return rules, nil
}

// withoutComment cuts a line at a # that begins a word.
func withoutComment(line string) string {
	for i := range len(line) {
		if line[i] == '#' && (i == 0 || isSpace(rune(line[i-1]))) {
			return line[:i]
		}
	}
	return line
}

func isSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\r' }
