// Package mapped maps files into memory for the two sides that meet in them.
//
// Readers open files that others write and may truncate at any moment: through
// read-only memory mappings where the system has them, with [Region.Guard] around every
// access, and by positioned reads everywhere. It opens files by system call,
// because a scrape of thousands of small files spends its time there, and keeps
// no descriptor behind a mapping.
//
// Writers create a [Growing] file and lock it for as long as they live. Its
// extents are mapped for writing only once their space on the disk is sure, as a
// full disk would otherwise kill the process at its next store (SIGBUS), and they
// never move, so that words in them can be added to without a lock.
package mapped
