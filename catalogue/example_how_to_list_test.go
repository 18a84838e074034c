package catalogue_test

import (
	"fmt"

	"telltale/catalogue"
	"telltale/model"
)

// What does a catalogue know of a family?
func ExampleCatalogue_Families() {
	took, err := model.NewFamily("took_seconds", "Time taken.", model.Histogram, model.WithUnit("seconds"))
	if err != nil {
		fmt.Println(err)
		return
	}
	took.AddSample("took_seconds_bucket", map[string]string{"route": "/", "le": "1"}, 2)
	took.AddSample("took_seconds_bucket", map[string]string{"route": "/", "le": "+Inf"}, 3)

	var all catalogue.Catalogue
	if err := all.Add(took); err != nil {
		fmt.Println(err)
	}
	for _, f := range all.Families() {
		fmt.Println(f.Name, f.Type, f.Unit, f.Labels, f.Buckets)
	}
	// Output: took_seconds histogram seconds [route] [1]
}
