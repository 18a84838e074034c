//go:build unix

package multiprocess_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/multiprocess/internal/inject"
)

// performer does the steps of a scenario that one process does. All its file
// operations pass an injector.
type performer struct {
	dir   string
	files *inject.Injector
	proc  string // list of processes, for folds of Python's files

	store    *multiprocess.Store
	registry *telltale.Registry
	counters map[string]*telltale.CounterVec
	readers  map[string]*multiprocess.Collector // that run, by how they were made

	mu   sync.Mutex
	told []string // by error hooks, since somebody asked
}

// verbs are the steps that a process does. Their arguments are words; their result
// is lines of text.
var verbs = map[string]func(p *performer, args []string) (string, error){
	"open":       (*performer).open,       // open [epoch=E] [fold-at-close]: opens the process's store
	"add":        (*performer).add,        // add NAME{n} N: adds to a counter of the store
	"fill":       (*performer).fill,       // fill NAME N: adds 1 to each of N series of a counter
	"remove":     (*performer).remove,     // remove NAME{n}: removes a series of the store
	"close":      (*performer).close,      // close: closes the store
	"own":        (*performer).own,        // own: the page of the store's registry
	"collect":    (*performer).collect,    // collect [unmapped]: the page of a reader that goes on running
	"page":       (*performer).page,       // page: the page of a new reader
	"fold":       (*performer).fold,       // fold [python] [dead-after=D] [dry-run] [epoch=E]
	"background": (*performer).background, // the same, by the folder of stores and collectors
	"inspect":    (*performer).inspect,    // inspect: how many files there are of which kind, and what is wrong
	"mark":       (*performer).mark,       // mark PID: MarkProcessDead
	"merge":      (*performer).merge,      // merge: the page that Merge makes of all files
	"inject":     (*performer).inject,     // inject RULE: one rule more
	"heal":       (*performer).heal,       // heal: no rules any more
	"trace":      (*performer).trace,      // trace: operations since the rules were set, with patterns for names
	"spilled":    (*performer).spilled,    // spilled: how many series of the store others do not see
	"told":       (*performer).tell,       // told: what error hooks were told
	"resources":  (*performer).resources,  // resources: descriptors, goroutines, and mappings of files of the directory
}

func newPerformer(dir, proc string, files *inject.Injector) *performer {
	return &performer{
		dir: dir, proc: proc, files: files,
		counters: make(map[string]*telltale.CounterVec), readers: make(map[string]*multiprocess.Collector),
	}
}

// do does one step.
func (p *performer) do(words []string) (string, error) {
	verb, ok := verbs[words[0]]
	if !ok {
		return "", fmt.Errorf("%q is no step", words[0])
	}
	return verb(p, words[1:])
}

func (p *performer) hook(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, err.Error())
}

func (p *performer) open(args []string) (string, error) {
	opts := []multiprocess.StoreOption{multiprocess.WithErrorHook(p.hook), multiprocess.WithoutFolding(), multiprocess.WithFiles(p.files.Hook)}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "epoch":
			opts = append(opts, multiprocess.WithEpoch(value))
		case "fold-at-close":
			opts = append(opts, multiprocess.WithFoldAtClose())
		default:
			return "", fmt.Errorf("%q is no option of open", arg)
		}
	}
	store, err := multiprocess.Open(p.dir, opts...)
	if err != nil {
		return "", err
	}
	p.store, p.registry = store, telltale.NewRegistry(telltale.WithStore(store), telltale.WithStrict())
	clear(p.counters)
	return "", nil
}

// counter returns a counter of the store, and the value of its label n.
func (p *performer) counter(series string) (*telltale.CounterVec, string, error) {
	if p.store == nil {
		return nil, "", errors.New("no store is open")
	}
	name, label := cutSeries(series)
	if p.counters[name] == nil {
		c, err := telltale.NewCounterVec(name, "Help.", []string{"n"}, telltale.In(p.registry))
		if err != nil {
			return nil, "", err
		}
		p.counters[name] = c
	}
	return p.counters[name], label, nil
}

func (p *performer) add(args []string) (string, error) {
	if len(args) != 2 {
		return "", errors.New("add wants a series and a number")
	}
	c, label, err := p.counter(args[0])
	if err != nil {
		return "", err
	}
	n, err := strconv.ParseFloat(args[1], 64)
	if err == nil {
		c.With(label).Add(n)
	}
	return "", err
}

func (p *performer) fill(args []string) (string, error) {
	c, _, err := p.counter(args[0])
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(args[1])
	for i := range n {
		c.With(strconv.Itoa(i)).Inc()
	}
	return "", err
}

func (p *performer) remove(args []string) (string, error) {
	c, label, err := p.counter(args[0])
	if err == nil {
		c.Remove(label)
	}
	return "", err
}

func (p *performer) close([]string) (string, error) {
	if p.store == nil {
		return "", errors.New("no store is open")
	}
	return "", p.store.Close()
}

func (p *performer) spilled([]string) (string, error) {
	if p.store == nil {
		return "", errors.New("no store is open")
	}
	return strconv.Itoa(p.store.Stats().Spilled), nil
}

func (p *performer) own([]string) (string, error) {
	if p.registry == nil {
		return "", errors.New("no store is open")
	}
	return pageOfCollector(p.registry)
}

func (p *performer) collect(args []string) (string, error) {
	how := strings.Join(args, " ")
	if p.readers[how] == nil {
		opts := []multiprocess.Option{multiprocess.WithErrorHook(p.hook), multiprocess.WithoutFolding(), multiprocess.WithFiles(p.files.Hook)}
		if how == "unmapped" {
			opts = append(opts, multiprocess.WithMappingLimits(0, 0))
		}
		c, err := multiprocess.NewCollector(p.dir, opts...)
		if err != nil {
			return "", err
		}
		p.readers[how] = c
	}
	return pageOfCollector(p.readers[how])
}

func (p *performer) page([]string) (string, error) {
	c, err := multiprocess.NewCollector(p.dir, multiprocess.WithErrorHook(p.hook), multiprocess.WithoutFolding(), multiprocess.WithFiles(p.files.Hook), multiprocess.WithAge(0))
	if err != nil {
		return "", err
	}
	return pageOfCollector(c)
}

// pageOfCollector returns the samples of a page, one a line, without created times.
func pageOfCollector(c model.Collector) (string, error) {
	var families []*model.Family
	err := c.Collect(context.Background(), func(f *model.Family) error {
		families = append(families, f.Clone())
		return f.Check()
	})
	if err != nil {
		return "", err
	}
	return sampleLines(families), nil
}

func sampleLines(families []*model.Family) string {
	lines := slices.DeleteFunc(samples(families), func(line string) bool {
		name, _, _ := strings.Cut(line, "{")
		return strings.HasSuffix(name, "_created")
	})
	return strings.Join(lines, "\n")
}

func (p *performer) foldOptions(args []string) (opts []multiprocess.FoldOption, err error) {
	opts = append(opts, multiprocess.WithFiles(p.files.Hook), multiprocess.WithProcesses(p.proc))
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "python":
			opts = append(opts, multiprocess.WithPythonFiles())
		case "dead-after":
			d, err := time.ParseDuration(value)
			if err != nil {
				return nil, err
			}
			opts = append(opts, multiprocess.WithDeadAfter(d))
		case "dry-run":
			opts = append(opts, multiprocess.WithDryRun())
		case "epoch":
			opts = append(opts, multiprocess.WithEpoch(value))
		default:
			return nil, fmt.Errorf("%q is no option of a fold", arg)
		}
	}
	return opts, nil
}

func (p *performer) fold(args []string) (string, error) {
	opts, err := p.foldOptions(args)
	if err != nil {
		return "", err
	}
	report, err := multiprocess.Fold(context.Background(), p.dir, opts...)
	return foldLines(report), err
}

func (p *performer) background(args []string) (said string, err error) {
	opts, err := p.foldOptions(args)
	if err != nil {
		return "", err
	}
	ended := make(chan struct{})
	f := multiprocess.NewFolder(p.dir, time.Now, func(r *multiprocess.FoldReport, failed error) {
		said, err = foldLines(r), failed
		close(ended)
	}, opts...)
	f.Begun(1 << 10)
	<-ended
	f.Close()
	return said, err
}

// foldLines says what a fold did.
func foldLines(r *multiprocess.FoldReport) string {
	if r.Busy {
		return "busy"
	}
	var lines []string
	for _, part := range []struct {
		what  string
		names []string
	}{{"absorbed", r.Absorbed}, {"dropped", r.Dropped}, {"swept", r.Swept}} {
		for _, name := range part.names {
			lines = append(lines, part.what+" "+name)
		}
	}
	for _, l := range r.Left {
		lines = append(lines, fmt.Sprintf("left %s (%s): %s", l.Name, l.Reason, l.Why))
	}
	return strings.Join(lines, "\n")
}

func (p *performer) inspect([]string) (string, error) {
	reports, err := multiprocess.InspectWith(p.dir, p.files.Hook)
	var lines []string
	for _, r := range reports {
		line := string(r.Kind)
		if r.Alive != "" {
			line += " alive=" + string(r.Alive)
		}
		if r.Error != "" {
			line += fmt.Sprintf(" %s: %s", r.Reason, r.Error)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n"), err
}

func (p *performer) mark(args []string) (string, error) {
	pid, err := strconv.Atoi(args[0])
	if err != nil {
		return "", err
	}
	return "", multiprocess.MarkProcessDeadWith(p.dir, pid, p.files.Hook)
}

func (p *performer) merge([]string) (string, error) {
	var paths []string
	for _, pattern := range []string{"*.seg", "*.db"} {
		found, err := filepath.Glob(filepath.Join(p.dir, pattern))
		if err != nil {
			return "", err
		}
		paths = append(paths, found...)
	}
	families, err := multiprocess.MergeWith(paths, true, p.files.Hook)
	return sampleLines(families), err
}

func (p *performer) inject(args []string) (string, error) {
	return "", p.files.Set(p.files.String() + strings.Join(args, " "))
}

func (p *performer) heal([]string) (string, error) { return "", p.files.Set("") }

func (p *performer) trace([]string) (string, error) {
	var lines []string
	for _, o := range p.files.Trace() {
		lines = append(lines, o.Op.String()+" "+o.Pattern())
	}
	return strings.Join(lines, "\n"), nil
}

func (p *performer) tell([]string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	told := p.told
	p.told = nil
	slices.Sort(told)
	return strings.Join(told, "\n"), nil
}

func (p *performer) resources([]string) (string, error) {
	names, err := os.ReadDir("/dev/fd")
	maps, _ := os.ReadFile("/proc/self/maps") // where there is such a file
	return fmt.Sprint(len(names), " ", runtime.NumGoroutine(), " ", strings.Count(string(maps), p.dir)), err
}

// perform is a child that does the steps that it is given on its input, one a
// line, and answers each with lines behind a tab, an error with one behind "! ",
// and then an empty line. It ends with its input.
func perform(args []string) error {
	files, err := inject.FromEnvironment()
	if err != nil {
		return err
	}
	p := newPerformer(args[0], args[1], files)
	if err := beginPolling(); err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		said, err := p.do(strings.Fields(in.Text()))
		if _, err := io.WriteString(os.Stdout, answer(said, err)+"\n"); err != nil {
			return err
		}
	}
	return in.Err()
}

// beginPolling has the runtime open the descriptors that it polls others with, so
// that they do not come to be when something is counted.
func beginPolling() error {
	r, w, err := os.Pipe()
	if err == nil {
		err = errors.Join(r.Close(), w.Close())
	}
	return err
}

// answer is what a process says of a step.
func answer(said string, err error) string {
	var b strings.Builder
	if said != "" {
		for line := range strings.SplitSeq(said, "\n") {
			b.WriteString("\t" + line + "\n")
		}
	}
	if err != nil {
		b.WriteString("\t! " + strings.ReplaceAll(err.Error(), "\n", "; ") + "\n")
	}
	return b.String()
}

// longHex is what is random in names of files.
var longHex = regexp.MustCompile(`[0-9a-f]{16,}`)
