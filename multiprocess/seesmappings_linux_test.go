package multiprocess_test

// seesMappings reports whether the system shows what processes have mapped.
const seesMappings = true
