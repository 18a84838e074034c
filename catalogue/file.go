package catalogue

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// MostBytes bounds a catalogue's file that Read takes.
const MostBytes = 8 << 20

// file is a catalogue as JSON.
type file struct {
	Families []*Family `json:"families"`
}

// Write writes the catalogue to w, the same bytes for equal catalogues.
func (c *Catalogue) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	return e.Encode(file{c.Families()})
}

// Read reads what [Catalogue.Write] wrote. It returns an error if r has more than
// [MostBytes], is not such a file, or names a family twice or not at all.
func Read(r io.Reader) (*Catalogue, error) {
	limited := &io.LimitedReader{R: r, N: MostBytes + 1}
	d := json.NewDecoder(limited)
	d.DisallowUnknownFields()
	var f file
	err := d.Decode(&f)
	if err == nil {
		if _, after := d.Token(); !errors.Is(after, io.EOF) {
			err = errors.New("something follows the catalogue")
		}
	}
	if limited.N <= 0 {
		return nil, fmt.Errorf("catalogue: the file has more than %d bytes", MostBytes)
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("catalogue: the file cannot be read: %w", err)
	}
	c := &Catalogue{families: make(map[string]*Family, len(f.Families))}
	for i, e := range f.Families {
		if e == nil || e.Name == "" {
			return nil, fmt.Errorf("catalogue: family %d of the file has no name", i+1)
		}
		if c.families[e.Name] != nil {
			return nil, fmt.Errorf("catalogue: the file names %q twice", e.Name)
		}
		c.families[e.Name] = e
		for _, list := range [][]string{e.Labels, e.States} {
			slices.Sort(list)
		}
		for _, list := range [][]float64{e.Buckets, e.Quantiles} {
			slices.Sort(list)
		}
	}
	return c, nil
}
