package auto

import (
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"

	"telltale"
	"telltale/internal/builder"
)

// Factory makes instruments for one registry, with options that all of them
// share. It is immutable and safe for concurrent use. A nil Factory, like the
// functions of the package, makes them for [telltale.Default] without options.
type Factory struct{ opts []telltale.Option }

// In returns a factory of instruments that are registered with reg and have the
// options. Options given to a method come after those, and override them. It
// panics if reg is nil.
func In(reg *telltale.Registry, opts ...telltale.Option) *Factory {
	if reg == nil {
		panic(located(fmt.Errorf("In: the registry is nil")))
	}
	return &Factory{append([]telltale.Option{telltale.In(reg)}, opts...)}
}

// options returns the options of the factory, followed by those of one instrument.
func options[O any](f *Factory, opts []O) []O {
	if f == nil {
		return opts
	}
	return builder.Options(f.opts, opts...)
}

// must returns x, or panics with the error and the place of the call.
func must[T any](x T, err error) T {
	if err != nil {
		panic(located(err))
	}
	return x
}

// here is the prefix of the names of this package's functions.
var here = reflect.TypeFor[Factory]().PkgPath() + "."

// located adds file and line of the call into this package to an error.
func located(err error) error {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, here) {
			folder, file := filepath.Split(frame.File)
			return fmt.Errorf("auto: %s:%d: %w", filepath.Join(filepath.Base(folder), file), frame.Line, err)
		}
		if !more {
			return fmt.Errorf("auto: %w", err)
		}
	}
}
