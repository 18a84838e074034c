// Resize is a plugin that pretends to resize images. Two lines put its metrics
// on its parent's page.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"telltale"
	"telltale/multiprocess"
)

var (
	images = telltale.Must(telltale.NewCounterVec("resized_images", "Images resized.", []string{"format"}))
	size   = telltale.Must(telltale.NewSummary("resized_image_bytes", "How large they were."))
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	store, err := multiprocess.Open("") // the directory is in PROMETHEUS_MULTIPROC_DIR
	if err != nil {
		log.Fatal(err)
	}
	if err := telltale.Default.UseStore(store); err != nil {
		log.Fatal(err)
	}
	log.Printf("plugin, pid=%d, resizes", os.Getpid())
	for ctx.Err() == nil {
		images.With("png").Inc()
		size.Observe(1000)
		time.Sleep(time.Millisecond)
	}
	if err := store.Close(); err != nil {
		log.Fatal(err)
	}
}
