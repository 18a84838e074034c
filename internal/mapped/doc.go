// Package mapped reads files that others write and may truncate at any moment:
// through read-only memory mappings where the system has them, with [Guard]
// around every access, and by positioned reads everywhere. It opens files by
// system call, because a scrape of thousands of small files spends its time
// there, and keeps no descriptor behind a mapping.
package mapped
