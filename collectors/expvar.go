package collectors

import (
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"fmt"
	"maps"
	"slices"

	"telltale"
	"telltale/model"
)

// Variable names a variable of package expvar and the family as which it is
// exposed.
type Variable struct {
	Var    string     // the variable's name
	Name   string     // the family's
	Help   string     // the family's
	Type   model.Type // model.Unknown, model.Counter or model.Gauge
	Labels []string   // label names, one for each level of maps in the variable
}

// Expvar is a collector of variables of package expvar. [NewExpvar] makes it. It
// is safe for concurrent use.
type Expvar struct {
	variables []Variable
	families  []*model.Family
}

var _ telltale.Describer = (*Expvar)(nil)

// maxDepth and maxVariableSeries bound the labels and the series of one
// variable.
const (
	maxDepth          = 16
	maxVariableSeries = 10000
)

// NewExpvar returns a collector of the variables, for programs that count with
// package expvar. A number is a sample, and so is a boolean, as 1 or 0. A
// variable that is a map has one label for each level of nested maps, whose
// values are the maps' keys. A variable that is not published yet is left out
// until it is.
//
// It returns an error if a family's name or label names are not valid, if a type
// is none of the three, or if there are more than 16 labels.
func NewExpvar(variables ...Variable) (*Expvar, error) {
	e := &Expvar{variables: slices.Clone(variables)}
	for i := range e.variables {
		v := &e.variables[i]
		v.Labels = slices.Clone(v.Labels)
		if v.Type != model.Unknown && v.Type != model.Counter && v.Type != model.Gauge {
			return nil, fmt.Errorf("collectors: the variable %q cannot be a %s", v.Var, v.Type)
		}
		if len(v.Labels) > maxDepth {
			return nil, fmt.Errorf("collectors: the variable %q has %d labels, at most %d are allowed", v.Var, len(v.Labels), maxDepth)
		}
		f, err := model.NewFamily(v.Name, v.Help, v.Type)
		if err == nil {
			err = model.CheckLabelNames(f.Name, f.Type, v.Labels)
		}
		if err != nil {
			return nil, fmt.Errorf("collectors: the variable %q: %w", v.Var, err)
		}
		f.Name = f.BaseName()
		e.families = append(e.families, f)
	}
	return e, nil
}

// Describe returns the families without samples.
func (e *Expvar) Describe() []*model.Family {
	var families []*model.Family
	for _, f := range e.families {
		families = append(families, f.Header())
	}
	return families
}

// Collect reads the variables and emits a family for each. It leaves out a
// variable of another form, such as a text, or of more than 10,000 series, and
// returns the reasons, joined.
func (e *Expvar) Collect(ctx context.Context, emit func(*model.Family) error) error {
	var faults []error
	for i, v := range e.variables {
		if err := ctx.Err(); err != nil {
			return err
		}
		published := expvar.Get(v.Var)
		if published == nil {
			continue
		}
		f, err := v.family(e.families[i].Header(), published)
		if err != nil {
			faults = append(faults, fmt.Errorf("collectors: the variable %q: %w", v.Var, err))
			continue
		}
		if err := emit(f); err != nil {
			return err
		}
	}
	return errors.Join(faults...)
}

// family adds the variable's series to the family.
func (v *Variable) family(f *model.Family, published expvar.Var) (*model.Family, error) {
	var value any
	if err := json.Unmarshal([]byte(published.String()), &value); err != nil {
		return nil, fmt.Errorf("is not JSON: %w", err)
	}
	series := 0
	return f, v.add(f, value, make([]string, 0, len(v.Labels)), &series)
}

// add adds the series below a value, whose labels so far have these values.
func (v *Variable) add(f *model.Family, value any, values []string, series *int) error {
	if len(values) < len(v.Labels) {
		object, ok := value.(map[string]any)
		if !ok {
			return fmt.Errorf("has no map for the values of the label %q", v.Labels[len(values)])
		}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			if err := v.add(f, object[key], append(values, key), series); err != nil {
				return err
			}
		}
		return nil
	}
	number, ok := value.(float64)
	if b, isBool := value.(bool); isBool {
		if ok = true; b {
			number = 1
		}
	}
	if !ok {
		return fmt.Errorf("has no number at %q", values)
	}
	if v.Type == model.Counter && number < 0 {
		return fmt.Errorf("has %v at %q, which is no value of a counter", number, values)
	}
	if *series++; *series > maxVariableSeries {
		return fmt.Errorf("has more than %d series", maxVariableSeries)
	}
	f.Append(model.Point{Labels: model.LabelPairs(v.Labels, values), Has: f.Type.Parts() &^ model.PartCreated, Value: number})
	return nil
}
