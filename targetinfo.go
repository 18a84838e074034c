package telltale

// Labels of the whole target.

import (
	"fmt"
	"maps"
	"slices"

	"telltale/model"
)

// SetTargetInfo sets labels that describe the whole target, exported as the
// first family, target_info; an empty map removes it. It is an error, and nothing
// has changed, if a label is not valid or a collector has the name target_info.
func (r *Registry) SetTargetInfo(labels map[string]string) error {
	var family *model.Family
	if len(labels) > 0 {
		info, err := model.NewInfoFamily(targetName, targetHelp)
		if err == nil {
			err = info.Add(nil, labels)
		}
		if err != nil {
			return fmt.Errorf("telltale: target info: %w", err)
		}
		family = info.Family()
	}
	if err := r.describing().checkLegacy(model.LegacyLabelName, slices.Collect(maps.Keys(labels))...); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if held, ok := r.claims[targetInfoName]; ok && family != nil {
		return &DuplicateError{Collector: "target info", Clashes: []Clash{{Name: targetInfoName, Holder: held.collector, Held: held.String()}}}
	}
	r.target, r.targetInfo = maps.Clone(labels), family
	return nil
}

// TargetInfo returns a copy of the target labels, nil if there are none.
func (r *Registry) TargetInfo() map[string]string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.targetInfo == nil {
		return nil
	}
	return maps.Clone(r.target)
}
