package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"telltale"
	"telltale/model"
	"telltale/multiprocess"
	"telltale/push"
	"telltale/push/otlp"
	"telltale/push/remotewrite"
)

// send is the verb that sends the metrics of other processes to where nobody scrapes
// them.
type send struct {
	gathered

	To         []destination `required:"" help:"Send to this destination: remotewrite+URL, otlp+URL, pushgateway+URL or textfile+PATH; may be repeated." sep:"none" placeholder:"KIND+URL"`
	Every      span          `help:"Send this often (${default})." default:"15s" placeholder:"DURATION"`
	Job        word          `help:"The label job of what is sent (${default})." default:"telltale" placeholder:"NAME"`
	Instance   word          `help:"The label instance of what is sent (default: the identity of the directory, or without one this host's name and random digits)." placeholder:"ID"`
	HTTPConfig operand       `name:"http-config" help:"Send with the TLS, authentication and headers in this file, by the names of Prometheus's scrape_config; it is read again when it changes." placeholder:"FILE"`

	steered
}

const (
	instanceLabel = "instance"
	senderLabel   = "sender" // of a Pushgateway's group whose series have an instance
)

// Validate is called by kong.
func (s *send) Validate(parsed *kong.Context) error {
	switch {
	case s.Every == 0:
		return errors.New("--every: 0s is too short; it should look like 15s or 1m")
	case s.asked() && slices.ContainsFunc(s.To, func(d destination) bool { return d.kind == byOTLP }):
		return errors.New("by OTLP all series have one instance, and so --to otlp+URL cannot send the pages of --scrape and --targets")
	}
	return s.gathered.Validate(parsed)
}

// Help is what kong prints below the usage.
func (*send) Help() string {
	return `With --dir it sends what the workers of a directory have counted, the dead ones included: so what a job of 80 ms counted, or one that was killed, is sent too. Of several processes with the same --dir one sends, and the others wait until it has ended, in whatever way. The next one sends newer values of the same series: totals of the directory, under an identity that was made with it, never with a time before one that was sent.

With --scrape and --targets it sends the pages of other processes, as telltale serve shows them.

By remote write series get the labels job and instance where they have none of their own. By OTLP these are service.name and service.instance.id of the resource. A Pushgateway has them as the group; with --scrape and --targets, whose series have an instance, the label sender takes its place. Labels of series that the group has are sent to it with exported_ before their names. What cannot be sent by remote write or OTLP at once waits in memory, 64 MiB for each URL, and is sent in order; a Pushgateway and a textfile get the present state, again and again.

At its end it collects and sends a last time, in ten seconds at most. Failures are reported once while they last, and telltale_remote_write_*, telltale_otlp_* and telltale_push_* are sent too. The signal HUP makes it read its files again, which it also does when they change.`
}

// Run sends until ctx is done.
func (s *send) Run(ctx context.Context, out output, diag diagnostics) error {
	log := newLog(diag)
	tell := func(err error) { warn(log, err) }
	news := newNews(newsLimit, tell)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var leader *multiprocess.Leader
	if s.Dir != "" {
		var err error
		if leader, err = s.lead(ctx, log); leader == nil {
			return err
		}
		defer leader.Close()
	}
	// The registry is made before the senders of what it has, whose health it has.
	var health []telltale.Collector
	own := telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		for _, c := range health {
			if err := c.Collect(ctx, emit); err != nil {
				return err
			}
		}
		return nil
	})
	reg, files, err := s.registry(ctx, news, own)
	if err != nil || reg == nil {
		return err
	}
	shown, err := s.page(ctx, reg, tell)
	if err != nil {
		return err
	}
	o := outlets{of: shown, every: time.Duration(s.Every), leader: leader, hook: newNews(newsLimit, func(err error) { log.Warn("sending failed", "error", err) }).hear, label: instanceLabel}
	if s.asked() {
		o.label = senderLabel
	}
	if s.HTTPConfig != "" {
		client, err := newScrapeClient(string(s.HTTPConfig))
		if err != nil {
			return fmt.Errorf("cannot send the metrics: %w", err)
		}
		o.client = &http.Client{Transport: client}
		files = append(files, &reread{path: string(s.HTTPConfig), read: client.read})
	}
	if err := o.add(s.To, string(s.Job), s.instance(leader)); err != nil {
		return fmt.Errorf("cannot send the metrics: %w", err)
	}
	health = o.health
	rereading(ctx, tell, append(files, &reread{read: s.reread})...)
	s.say(out)
	if leader != nil {
		go watchLead(ctx, leader, end)
		pause(ctx, min(o.every, time.Until(leader.Last().Add(o.every))))
	}
	err = o.run(ctx)
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	return err
}

// lead waits until this process is the one that sends the directory; nil if ctx is done
// before.
func (s *send) lead(ctx context.Context, log *slog.Logger) (*multiprocess.Leader, error) {
	late := time.AfterFunc(time.Second, func() {
		log.Info("another process sends the metrics of the directory; this one waits until that has ended", "directory", string(s.Dir))
	})
	defer late.Stop()
	leader, err := multiprocess.NewLeader(ctx, string(s.Dir))
	if err != nil && ctx.Err() != nil {
		return nil, nil
	}
	return leader, err
}

// leadLooks is how often a sender looks whether it still leads.
const leadLooks = time.Second

// watchLead ends the sending when this process does not lead any longer.
func watchLead(ctx context.Context, leader *multiprocess.Leader, end context.CancelCauseFunc) {
	for ctx.Err() == nil {
		if err := leader.Err(); err != nil {
			end(err)
			return
		}
		pause(ctx, leadLooks)
	}
}

// pause waits, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// instance returns the label.
func (s *send) instance(leader *multiprocess.Leader) string {
	switch {
	case s.Instance != "":
		return string(s.Instance)
	case leader != nil:
		return leader.Identity()
	}
	return push.UniqueInstance()
}

// say says what is sent.
func (s *send) say(out output) {
	_, _ = fmt.Fprintf(out, "The metrics of %s are sent every %v to\n", s.of(), time.Duration(s.Every))
	for i := range s.To {
		_, _ = fmt.Fprintf(out, "  %s\n", &s.To[i])
	}
	_, _ = fmt.Fprintln(out, "It ends on Ctrl-C.")
}

// outlets send to all destinations side by side.
type outlets struct {
	of     telltale.Collector
	every  time.Duration
	leader *multiprocess.Leader // nil if nobody else sends the same series
	hook   func(error)
	client *http.Client // nil for the usual one
	label  string       // of a Pushgateway's group, beside the job
	runs   []func(context.Context) error
	health []telltale.Collector
}

// add adds the destinations.
func (o *outlets) add(to []destination, job, instance string) error {
	var targets []push.Target
	var written []remotewrite.Observed
	var exported []otlp.Observed
	for i := range to {
		switch at := to[i].at; to[i].kind {
		case byRemoteWrite:
			sender, err := o.writer(at, job, instance)
			if err != nil {
				return err
			}
			o.runs, written = append(o.runs, sender.Run), append(written, sender)
		case byOTLP:
			sender, err := o.exporter(at, job, instance)
			if err != nil {
				return err
			}
			o.runs, exported = append(o.runs, sender.Run), append(exported, sender)
		default:
			target, err := to[i].target(job, o.label, instance, o.client)
			if err != nil {
				return err
			}
			targets = append(targets, target)
		}
	}
	if len(targets) > 0 {
		o.runs = append(o.runs, func(ctx context.Context) error { return push.Every(ctx, o.every, o.led(), targets...) })
		o.health = append(o.health, push.Health(targets...))
	}
	if len(written) > 0 {
		o.health = append(o.health, remotewrite.Health(written...))
	}
	if len(exported) > 0 {
		o.health = append(o.health, otlp.Health(exported...))
	}
	return nil
}

// led returns a collector of what is sent that fails where another process may lead: its
// pushes must not be replaced by older ones.
func (o *outlets) led() telltale.Collector {
	if o.leader == nil {
		return o.of
	}
	return telltale.CollectorFunc(func(ctx context.Context, emit func(*model.Family) error) error {
		if err := o.leader.Err(); err != nil {
			return err
		}
		return o.of.Collect(ctx, emit)
	})
}

// writer returns a sender by remote write. Series of a directory go on with its next
// sender, and so are not ended with this one.
func (o *outlets) writer(url, job, instance string) (*remotewrite.Sender, error) {
	opts := []remotewrite.Option{
		remotewrite.WithLabels(map[string]string{"job": job, instanceLabel: instance}),
		remotewrite.WithInterval(o.every), remotewrite.WithErrorHook(o.hook),
	}
	if o.leader != nil {
		opts = append(opts, remotewrite.WithClock(o.leader.Next), remotewrite.WithoutLastMarkers())
	}
	if o.client != nil {
		opts = append(opts, remotewrite.WithClient(o.client))
	}
	return remotewrite.NewSender(o.of, url, opts...)
}

// exporter returns a sender by OTLP.
func (o *outlets) exporter(url, job, instance string) (*otlp.Sender, error) {
	opts := []otlp.Option{
		otlp.WithResource(map[string]string{"service.name": job, "service.instance.id": instance}),
		otlp.WithInterval(o.every), otlp.WithErrorHook(o.hook),
	}
	if o.leader != nil {
		opts = append(opts, otlp.WithClock(o.leader.Next))
	}
	if o.client != nil {
		opts = append(opts, otlp.WithClient(o.client))
	}
	return otlp.NewSender(o.of, url, opts...)
}

// run sends until ctx is done, and returns what could not be sent at the end.
func (o *outlets) run(ctx context.Context) error {
	errs := make([]error, len(o.runs))
	var all sync.WaitGroup
	for i, run := range o.runs {
		all.Go(func() { errs[i] = run(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}
