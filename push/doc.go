// Package push sends metrics where nobody scrapes them: to a Pushgateway, to the
// textfile collector of node_exporter, or to any other [Target].
//
// A batch job pushes once, at its end:
//
//	gateway, err := push.NewGateway("https://gateway:9091", "backup", push.WithGrouping("instance", host))
//	...
//	err = gateway.Push(ctx, reg)
//
// A program that runs on pushes again and again, to several targets if it likes, each
// by itself, and a last time when ctx is done:
//
//	err := push.Every(ctx, 15*time.Second, reg, gateway, push.NewTextfile("/var/lib/node_exporter/job.prom"))
//
// [Health] shows how pushes go. Passwords and tokens are in no error, no log and no
// metric. Neither a Pushgateway nor node_exporter takes timestamps, so samples are sent
// without theirs.
package push
