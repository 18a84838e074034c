package text_test

import (
	"fmt"
	"os"

	"telltale/exposition/text"
	"telltale/model"
)

// How is a family written, and what becomes of names that are not legacy names?
func Example_howToWriteAFamily() {
	logins, err := model.NewCounterFamily("shop.logins", "Logins, by country.", model.WithLabelNames("geo.country"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := logins.Add([]string{"IS"}, 42); err != nil {
		fmt.Println(err)
		return
	}
	for _, scheme := range []model.Escaping{model.Underscores, model.AllowUTF8} {
		e := text.NewEncoder(os.Stdout, text.WithEscaping(scheme))
		if err := e.Encode(logins.Family()); err != nil {
			fmt.Println(err)
		}
		if err := e.Close(); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// # HELP shop_logins_total Logins, by country.
	// # TYPE shop_logins_total counter
	// shop_logins_total{geo_country="IS"} 42.0
	// # HELP "shop.logins_total" Logins, by country.
	// # TYPE "shop.logins_total" counter
	// {"shop.logins_total","geo.country"="IS"} 42.0
}
