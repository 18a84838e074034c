// Job counts in the directory that PROMETHEUS_MULTIPROC_DIR names, for some 80 ms, and
// writes a byte for each increment that is done:
//
//	job INCREMENTS [KILLED]
//
// After KILLED increments it kills itself.
package main

import (
	"log"
	"os"
	"strconv"
	"syscall"
	"time"

	"telltale"
	"telltale/multiprocess"
)

const life = 80 * time.Millisecond

func main() {
	store, err := multiprocess.Open("")
	if err != nil {
		log.Fatal(err)
	}
	if err := telltale.Default.UseStore(store); err != nil {
		log.Fatal(err)
	}
	increments := number(1)
	killed := -1
	if len(os.Args) > 2 {
		killed = number(2)
	}
	rows := telltale.Must(telltale.NewCounter("job_rows", "Rows."))
	wait := life / time.Duration(increments+1)
	for i := range increments {
		if i == killed {
			break
		}
		time.Sleep(wait)
		rows.Inc()
		if _, err := os.Stdout.WriteString("."); err != nil {
			log.Fatal(err)
		}
	}
	if killed >= 0 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			log.Fatal(err)
		}
	}
	time.Sleep(wait)
	if err := store.Close(); err != nil {
		log.Fatal(err)
	}
}

func number(arg int) int {
	n, err := strconv.Atoi(os.Args[arg])
	if err != nil {
		log.Fatal(err)
	}
	return n
}
