package reserved

import "telltale/model"

// Suffixes returns what is behind a family's name in names that no other family of its page
// may have though no sample of the type has them: text has no gauge histograms, which are
// histograms there, and readers take x_sum and x_count for samples of a histogram x.
func Suffixes(typ model.Type) []string {
	if typ == model.GaugeHistogram {
		return ofHistograms
	}
	return nil
}

var ofHistograms = []string{model.PartSum.Suffix(), model.PartCount.Suffix()}
