package spool

// Look finds out whether a writer lives and what the beginning of its segment says,
// in this order: what a dead writer has written is all there is. After an error the
// writer lives, unless it is known to be otherwise.
func (d *Dir) Look(name Name) (s Seen, err error) {
	s = Seen{Name: name, Live: true}
	file, err := d.Read(name)
	if err != nil {
		s.Live = ReasonOf(err) != ReasonNotRegular
		return s, err
	}
	defer file.Close()
	locked, err := file.Locked()
	if err != nil {
		return s, err
	}
	s.Live = locked
	b, err := Begin(file)
	if err == nil {
		err = Fits(name, &b.Header)
	}
	if err == nil {
		s.Header, s.Live, s.Alive = &b.Header, locked && !b.Signs.Dead, b.Signs.Alive
	}
	return s, err
}

// Survey looks at all segments and settles which of them count, for a process that is
// about to write one too. It does not read what archives have taken up, nor fails for
// segments that cannot be read.
func (d *Dir) Survey(wanted *string, clock Clock) (*Survey, error) {
	names, err := d.List()
	if err != nil {
		return nil, err
	}
	var seen []Seen
	for _, name := range names {
		if name.kind == Writer || name.kind == Archive {
			s, _ := d.Look(name)
			seen = append(seen, s)
		}
	}
	return NewSurvey(seen, wanted, clock), nil
}
