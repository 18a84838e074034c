package exposition_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"telltale/exposition"
	"telltale/model"
)

// seeds are the pages that the encoders write, and those of the specification's
// own tests where they are at hand.
func seeds(f *testing.F, format exposition.Format) {
	f.Add(page(f, format.WithEscaping(model.AllowUTF8), whole(families(f)), exposition.WithCreated()))
	for _, family := range families(f) {
		f.Add(page(f, format.WithEscaping(model.AllowUTF8), []*model.Family{family}, exposition.WithCreated()))
	}
	cases, _ := filepath.Glob("../../shared/conformance/openmetrics-1.0/cases/*/metrics")
	for _, file := range cases {
		if in, err := os.ReadFile(file); err == nil {
			f.Add(in)
		}
	}
}

func FuzzOpenMetrics(f *testing.F) {
	seeds(f, exposition.OpenMetrics1)
	f.Add([]byte("# TYPE a:b stateset\na:b{\"a:b\"=\"\\x\"} 1 -.5\n# EOF"))
	f.Fuzz(func(t *testing.T, in []byte) { reparse(t, in, exposition.OpenMetrics1) })
}

func FuzzOpenMetrics2(f *testing.F) {
	seeds(f, exposition.OpenMetrics2)
	r := invention{Rand: rand.New(rand.NewPCG(1, 2)), timed: true, native: true}
	for i := range 20 {
		f.Add(page(f, exposition.OpenMetrics2, []*model.Family{r.family(i)}))
	}
	f.Add([]byte("# TYPE a stateset\na{a=\"b\"} 1 1\na{a=\"b\"} 0 3\na{a=\"c\"} 0 2\n# EOF"))
	f.Add([]byte("a {gcount:-1,gsum:nan,bucket:[-1:2,+Inf:-1]} # {} 0 1 # {} nan 2\n# EOF"))
	f.Fuzz(func(t *testing.T, in []byte) { reparse(t, in, exposition.OpenMetrics2) })
}

func FuzzText(f *testing.F) {
	seeds(f, exposition.Text004)
	f.Add([]byte("# TYPE h histogram\nh_count 1\nh_bucket{le=\"2\"} 1\nh_bucket{ le = \"1\" , } 1 5\nh_count 2\nh 1\nh_bucket{le=\"2.0\"}3\n"))
	f.Add([]byte("#\tHELP s \\\\ \\n\n\n # TYPE s summary\ns{quantile=\"1\"} 1\ns{quantile=\"0.5\"} 1\ns 2\ns_sum{a=\"\"} nan\n"))
	f.Fuzz(func(t *testing.T, in []byte) { reparse(t, in, exposition.Text004) })
}
