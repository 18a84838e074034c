package inject

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"telltale/internal/mapped"
)

// Variable is the environment variable in which a process that a test starts finds
// its rules.
const Variable = "TELLTALE_TEST_INJECT"

// MaxTrace is how many operations a trace keeps; later ones are left out.
const MaxTrace = 1 << 16

// Operation is an operation that passed an [Injector].
type Operation struct {
	Op   mapped.Op
	Name string // "." for the directory itself
}

// String returns the operation's kind and name.
func (o Operation) String() string { return o.Op.String() + " " + o.Name }

// Pattern returns a pattern for the name: the name itself with its long hexadecimal
// numbers, which are random, replaced by *.
func (o Operation) Pattern() string { return longHex.ReplaceAllString(o.Name, "*") }

// longHex is the IDs in names of files.
var longHex = regexp.MustCompile(`[0-9a-f]{16,}`)

// Injector makes operations fail by rules. The zero value has none, so that all
// operations pass. Methods are safe for concurrent use.
type Injector struct {
	mu     sync.Mutex
	rules  []Rule
	counts map[countKey]uint64
	trace  []Operation
	fired  []string
}

type countKey struct {
	op      mapped.Op
	pattern string
}

// Parse returns an injector with the rules of a text. Errors name the line.
func Parse(text string) (*Injector, error) {
	in := &Injector{}
	if err := in.Set(text); err != nil {
		return nil, err
	}
	return in, nil
}

// FromEnvironment returns an injector with the rules that the process was started
// with, if any.
func FromEnvironment() (*Injector, error) {
	in, err := Parse(os.Getenv(Variable))
	if err != nil {
		return nil, fmt.Errorf("environment variable %s: %w", Variable, err)
	}
	return in, nil
}

// Environment returns the rules as an entry of the environment of another process,
// for [FromEnvironment].
func (in *Injector) Environment() string { return Variable + "=" + in.String() }

// Set replaces the rules by those of a text. Counts and trace begin anew. After an
// error the injector is as it was.
func (in *Injector) Set(text string) error {
	rules, err := parseRules(text)
	if err != nil {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.rules, in.counts, in.trace, in.fired = rules, make(map[countKey]uint64), nil, nil
	return nil
}

// String returns the rules, each with a line end behind.
func (in *Injector) String() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	var b strings.Builder
	for _, r := range in.rules {
		b.WriteString(r.String() + "\n")
	}
	return b.String()
}

// Trace returns the operations that were seen since the rules were set, at most
// [MaxTrace].
func (in *Injector) Trace() []Operation {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]Operation(nil), in.trace...)
}

// Fired returns the operations that rules applied to, each with its rule, for
// messages.
func (in *Injector) Fired() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]string(nil), in.fired...)
}

// Hook is a [mapped.Hook].
func (in *Injector) Hook(op mapped.Op, name string, n int64) (int64, error) {
	r, applies := in.see(op, name)
	switch {
	case !applies:
		return n, nil
	case r.Kill:
		kill()
	case r.Short && r.Err == 0:
		return n / 2, nil
	case r.Short:
		return n / 2, r.Err
	}
	return 0, r.Err
}

// see counts an operation and returns the rule that applies to it.
func (in *Injector) see(op mapped.Op, name string) (r Rule, applies bool) {
	if name = filepath.Base(name); op <= mapped.OpSyncDir { // it is the path of the directory
		name = "."
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	o := Operation{op, name}
	if len(in.trace) < MaxTrace {
		in.trace = append(in.trace, o)
	}
	if in.counts == nil {
		in.counts = make(map[countKey]uint64)
	}
	counted := make(map[countKey]bool, len(in.rules))
	for _, rule := range in.rules {
		if rule.Op != AnyOperation && rule.Op != op {
			continue
		}
		if ok, err := path.Match(rule.Name, name); err != nil || !ok {
			continue
		}
		key := countKey{rule.Op, rule.Name}
		if !counted[key] {
			counted[key] = true
			in.counts[key]++
		}
		count := in.counts[key]
		if !applies && (count == rule.From || count > rule.From && !rule.Only) {
			r, applies = rule, true
			if len(in.fired) < MaxTrace {
				in.fired = append(in.fired, fmt.Sprintf("%v (%v)", o, rule))
			}
		}
	}
	return r, applies
}

// kill ends the process as kill -9 does.
func kill() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {} // until the signal is there
}
