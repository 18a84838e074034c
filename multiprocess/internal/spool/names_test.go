package spool_test

import (
	"strings"
	"testing"

	"telltale/multiprocess/internal/spool"
)

const hex32 = "0123456789abcdef0123456789abcdef"

func TestParse(t *testing.T) {
	for text, want := range map[string]spool.Kind{
		"writer-" + hex32 + ".seg":      spool.Writer,
		"archive.seg":                   spool.Archive,
		"fold.lock":                     spool.FoldLock,
		"fold.json":                     spool.FoldNotes,
		"send.lock":                     spool.SendLock,
		".telltale-writer-" + hex32:     spool.Temporary,
		".telltale-archive-" + hex32:    spool.Temporary,
		".telltale-notes-" + hex32:      spool.Temporary,
		"counter_1.db":                  spool.Python,
		"histogram_a_b.db":              spool.Python,
		"summary_ä.db":                  spool.Python,
		"gauge_liveall_1.db":            spool.Python,
		"counter_1~0123456789abcdef.db": spool.Aside,
		"counter_1~0123456789ABCDEF.db": spool.Python,
		"counter_1~x.db":                spool.Python,
		"":                              spool.Foreign,
		".":                             spool.Foreign,
		"..":                            spool.Foreign,
		"../archive.seg":                spool.Foreign,
		"writer-.seg":                   spool.Foreign,
		"writer-backup.seg":             spool.Foreign,
		"writer-" + strings.ToUpper(hex32) + ".seg": spool.Foreign,
		"writer-" + hex32 + "0.seg":                 spool.Foreign,
		"writer-" + hex32[1:] + ".seg":              spool.Foreign,
		"writer-" + hex32 + ".seg\n":                spool.Foreign,
		"writer-../" + hex32[3:] + ".seg":           spool.Foreign,
		"Writer-" + hex32 + ".seg":                  spool.Foreign,
		"archive.seg.bak":                           spool.Foreign,
		"archive.seg/":                              spool.Foreign,
		".telltale-x":                               spool.Foreign,
		".telltale-writer-" + hex32 + ".seg":        spool.Foreign,
		"counter_.db/../../x.db":                    spool.Foreign,
		"counter_1.db.db/x":                         spool.Foreign,
		"counter_\x1b[31m.db":                       spool.Foreign,
		"counter_\n.db":                             spool.Foreign,
		"counter_\xff.db":                           spool.Foreign,
		"counter_\u202e.db":                         spool.Foreign,
		"gauge_1.db":                                spool.Foreign,
		"gauge_most_1.db":                           spool.Foreign,
		".counter_1.db":                             spool.Foreign,
		"untyped_1.db":                              spool.Foreign,
	} {
		if got := spool.Parse(text); got.Kind() != want || got.String() != text {
			t.Errorf("%q is of kind %d, want %d", text, got.Kind(), want)
		}
	}
}

func TestNames(t *testing.T) {
	id := [16]byte{1, 2, 0xff}
	if n := spool.WriterName(id); n.Kind() != spool.Writer || n.ID() != id {
		t.Errorf("%v has ID %x", n, n.ID())
	}
	for _, what := range []string{"writer", "archive", "notes"} {
		if n := spool.TemporaryName(what, id); n.Kind() != spool.Temporary {
			t.Errorf("%v is of kind %d", n, n.Kind())
		}
	}
	original := spool.Parse("gauge_all_7.db")
	aside := spool.AsideName(original, [8]byte{3})
	if aside.Kind() != spool.Aside || aside.Original() != original {
		t.Errorf("%v was %v", aside, aside.Original())
	}
	for text, want := range map[string]bool{"x.seg": true, "x.db": true, ".x.db": false, "x": false, "archive.seg": false} {
		if got := spool.Parse(text).Claimed(); got != want {
			t.Errorf("%q is claimed: %v", text, got)
		}
	}
	for text, want := range map[string]string{"/a/b c": "/a/b c", "a\x1bb": `"a\x1bb"`, "a\nb": `"a\nb"`, "\xff": `"\xff"`} {
		if got := spool.Quote(text); got != want {
			t.Errorf("%q is quoted as %s", text, got)
		}
	}
}

// No text makes a name that leads out of the directory.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"archive.seg", "writer-" + hex32 + ".seg", "../x", "counter_1.db", "gauge_all_../x.db"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n := spool.Parse(text)
		if n.Kind() != spool.Foreign && (strings.ContainsAny(text, "/\x00\n") || text == "." || text == "..") {
			t.Errorf("%q is of kind %d", text, n.Kind())
		}
		if again := spool.Parse(n.Original().String()); n.Kind() == spool.Aside && again.Kind() != spool.Python {
			t.Errorf("%q was put aside from %q", text, again)
		}
	})
}
