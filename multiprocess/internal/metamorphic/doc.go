// Package metamorphic runs random scripts of what processes do with a directory,
// each in several ways that must not differ: on the heap, on a tmpfs and on a disk,
// without folds, with those of the script and with one behind every death, with
// writers in this process and with children that are killed. After each operation
// all readers are asked, and held against a model that knows the right totals: a
// collector that has run since the beginning, one that maps nothing, one that is asked
// seldom, a new one, [multiprocess.Merge], and the registry of each process.
//
// A script has one operation a line:
//
//	open p1 epoch=e1 edition=2    a process begins; options, service=s1 and expiry=1000h too, may be left out
//	make p1 c0 x                  a series without a value
//	add p1 c0 x 2.5               to a counter or a gauge
//	set p1 g0 x 3                 a gauge
//	observe p1 h0 x 1.5           into a histogram or a summary
//	crowd p1 c0 x 0.5             the same, by several goroutines, many times
//	remove p1 c0 x
//	clear p1 c0
//	replace p1 c0 y=1 z=2         all series of the family
//	elapse                        so much time that series end which nobody updates
//	elapse p1 c0 x 1              the same, while the process updates a series
//	rest p1                       so much time that rows of removed series are given out anew
//	kill p1                       the process ends
//	crash p1 c0 x 0.5             a crowd whose process is killed meanwhile
//	churn p1 c0                   series are made, removed and replaced until the process is killed
//	shift p1 10m                  the process began when the wall clock went wrong by so much, and ended then if it has
//	reboot p1                     the process is of an earlier boot
//	python q1 c0 x 2              a process that used Python's client begins and ends
//	mark q1                       MarkProcessDead
//	fold
//	stop 7                        a fold ends before its 7th operation on files
//	clone                         the directory is copied, and the copy read and folded
//	copy p1                       the file of the process, under another writer's name
//	damage p1                     the file of a process that is dead
//	damage archive, mend archive  folds fail in between
//	litter empty                  a file that no writer has written
//	read                          the reader that is asked seldom is asked
//	reopen                        the readers that go on are made anew
//
// Families are named by what they are: c are counters, g, m, l, a and t gauges of the
// modes sum, max, livesum, all and mostrecent, h histograms, n those with native buckets,
// s summaries, i infos, e enums. A process of edition 2 has another help text and other
// buckets than one of edition 1, and another label name of the counter b. x and y are
// counters of edition 1 and gauges of edition 2, where x is called x_total.
//
// An expiry is of all instruments of a process. One of 1m passes when the script says elapse,
// which runs by a clock that moves while the script sleeps (testing/synctest), in this
// process alone; others are longer than any script takes: rows are laid out otherwise, and
// files say when series end, but none does.
//
// Scripts are made from seeds. One that fails is shortened and printed; pasted into
// testdata/scripts as a file it is a test for ever.
//
//	go test ./multiprocess/internal/metamorphic -metamorphic.for 10m
//	go test ./multiprocess/internal/metamorphic -metamorphic.seed 17
package metamorphic
