package screen

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"telltale/cmd/telltale/internal/board"
)

// mode is what the screen shows.
type mode int

const (
	series  mode = iota
	detail       // of the chosen series
	writers      // of the directories
	keys         // what keys do
)

// maxFilter is the longest filter, in characters.
const maxFilter = 200

// table is the state of the screen. Update takes keys and readings, View draws.
type table struct {
	ctx    context.Context
	config *Config
	board  *board.Board

	mode          mode
	width, height int
	filter        string
	filtering     bool
	order         board.Order
	reverse       bool
	paused        bool

	rows   []*board.Row // as shown: filtered and sorted
	chosen *board.Row   // that the cursor is on
	cursor int          // its place in rows
	top    int          // the first row on the screen

	files   []Writer
	problem error // of reading them
}

func newTable(ctx context.Context, c *Config) *table {
	return &table{ctx: ctx, config: c, board: c.board(), width: 80, height: 24, filter: c.Filter, order: c.Order, reverse: c.Reverse}
}

// due says that a target is to be read.
type due int

// writersRead are the files of the directories.
type writersRead struct {
	files []Writer
	err   error
}

// Init is called by bubbletea.
func (t *table) Init() tea.Cmd {
	var all []tea.Cmd
	for i := range t.config.Sources {
		all = append(all, t.read(i))
	}
	return tea.Batch(all...)
}

func (t *table) read(target int) tea.Cmd {
	return func() tea.Msg { return t.config.read(t.ctx, target) }
}

// readWriters reads the files of the directories.
func (t *table) readWriters() tea.Msg {
	var all writersRead
	for _, s := range t.config.Sources {
		files, err := s.Writers()
		if err != nil {
			all.err = err
		}
		all.files = append(all.files, files...)
	}
	return all
}

// Update is called by bubbletea with each event.
func (t *table) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		t.width, t.height = msg.Width, msg.Height
	case due:
		return t, t.read(int(msg))
	case reading:
		next := tea.Tick(t.config.rest(msg.took), func(time.Time) tea.Msg { return due(msg.target) })
		if t.paused {
			return t, next
		}
		msg.apply(t.board)
		t.selectRows()
		if t.mode == writers {
			return t, tea.Batch(next, t.readWriters)
		}
		return t, next
	case writersRead:
		t.files, t.problem = msg.files, msg.err
	case tea.PasteMsg:
		t.edit(msg.Content)
	case tea.KeyPressMsg:
		return t.key(msg)
	}
	return t, nil
}

// key does what a key says.
func (t *table) key(k tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	name := k.String()
	if name == "ctrl+c" {
		return t, tea.Quit
	}
	if t.filtering {
		t.filterKey(name, k.Key().Text)
		return t, nil
	}
	switch name {
	case "q":
		return t, tea.Quit
	case "/":
		t.mode, t.filtering = series, true
	case "esc":
		if t.mode == series && t.filter != "" {
			t.filter = ""
			t.selectRows()
		}
		t.mode = series
	case "s":
		t.order = t.order.Next()
		t.selectRows()
	case "r":
		t.reverse = !t.reverse
		t.selectRows()
	case "space":
		t.paused = !t.paused
	case "enter":
		t.toggle(detail)
	case "w":
		if t.toggle(writers) {
			return t, t.readWriters
		}
	case "?":
		t.toggle(keys)
	default:
		t.move(name)
	}
	return t, nil
}

// toggle shows something else, or the series again, and reports which.
func (t *table) toggle(m mode) bool {
	if t.mode == m {
		m = series
	}
	t.mode = m
	return m != series
}

func (t *table) filterKey(name, text string) {
	switch name {
	case "enter":
		t.filtering = false
	case "esc":
		t.filtering, t.filter = false, ""
		t.selectRows()
	case "backspace":
		_, n := utf8.DecodeLastRuneInString(t.filter)
		t.filter = t.filter[:len(t.filter)-n]
		t.selectRows()
	case "ctrl+u":
		t.filter = ""
		t.selectRows()
	default:
		t.edit(text)
	}
}

// edit puts text behind the filter.
func (t *table) edit(text string) {
	if !t.filtering || text == "" {
		return
	}
	all := []rune(strings.ToValidUTF8(t.filter+text, ""))
	t.filter = string(all[:min(len(all), maxFilter)])
	t.selectRows()
}

// move moves the cursor.
func (t *table) move(name string) {
	page := max(t.room(), 1)
	switch name {
	case "up", "k":
		t.cursor--
	case "down", "j":
		t.cursor++
	case "pgup":
		t.cursor -= page
	case "pgdown":
		t.cursor += page
	case "home", "g":
		t.cursor = 0
	case "end", "G":
		t.cursor = len(t.rows)
	default:
		return
	}
	t.cursor = min(max(t.cursor, 0), max(len(t.rows)-1, 0))
	if len(t.rows) > 0 {
		t.chosen = t.rows[t.cursor]
	}
}

// selectRows filters and sorts. The cursor stays on its series, if that is shown.
func (t *table) selectRows() {
	t.rows = t.board.Rows(t.filter, t.order, t.reverse)
	for i, r := range t.rows {
		if r == t.chosen {
			t.cursor = i
			return
		}
	}
	t.cursor = min(t.cursor, max(len(t.rows)-1, 0))
	t.chosen = nil
	if len(t.rows) > 0 {
		t.chosen = t.rows[t.cursor]
	}
}
