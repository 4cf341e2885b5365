// Package measure is measure.h for programs in Go: the same arguments, the same line of JSON.
package measure

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Row is one row being run.
type Row struct {
	Name  string
	Size  int
	Units int

	wall                   time.Duration
	cpu                    float64
	voluntary, involuntary int64
	check                  uint64
	notes                  map[string]float64
}

func usage() (u syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u
}

func cpuSeconds(u syscall.Rusage) float64 {
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// Timed calls work and adds what it took to the row's figures.
func (r *Row) Timed(work func()) {
	before, start := usage(), time.Now()
	work()
	r.wall += time.Since(start)
	after := usage()
	r.cpu += cpuSeconds(after) - cpuSeconds(before)
	r.voluntary += after.Nvcsw - before.Nvcsw
	r.involuntary += after.Nivcsw - before.Nivcsw
}

// Check ends the process if an answer is not right.
func (r *Row) Check(right bool, what string) {
	if !right {
		fmt.Fprintf(os.Stderr, "WRONG: %s: %s\n", r.Name, what)
		os.Exit(1)
	}
}

// CheckEqual does so for a figure, which is printed as the row's check value.
func (r *Row) CheckEqual(have, want uint64, what string) {
	r.check = have
	r.Check(have == want, fmt.Sprintf("%s: %d, not %d", what, have, want))
}

// Note is one more figure.
func (r *Row) Note(name string, value float64) { r.notes[name] = value }

// LastWord is the part of the name behind its last '-'.
func (r *Row) LastWord() string { return r.Name[strings.LastIndexByte(r.Name, '-')+1:] }

// ResidentBytes is the memory in use by this process now.
func ResidentBytes() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		panic(err)
	}
	return float64(pages) * 4096
}

// Tally counts atomically; Go has no counter for each thread.
type Tally struct{ n atomic.Uint64 }

func (t *Tally) Add()        { t.n.Add(1) }
func (t *Tally) Sum() uint64 { return t.n.Load() }

// peakResidentKb is the most memory that this process had so far. From /proc, since getrusage's counts
// what the process had before its exec.
func peakResidentKb() int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "VmHWM:" {
			kb, err := strconv.Atoi(words[1])
			if err != nil {
				panic(err)
			}
			return kb
		}
	}
	return 0
}

// Variant is what came as --variant=..., for programs with more ways than one to do a row.
var Variant string

// Program is the whole of main: the rows by name.
func Program(args []string, rows map[string]func(*Row)) {
	if len(args) > 0 && strings.HasPrefix(args[0], "--variant=") {
		Variant = strings.TrimPrefix(args[0], "--variant=")
		args = args[1:]
	}
	if len(args) < 1 || args[0] == "--list" {
		for name := range rows {
			fmt.Println(name)
		}
		return
	}
	run, ok := rows[args[0]]
	if !ok || len(args) < 2 {
		fmt.Fprintln(os.Stderr, "say a row of --list, and its size (rows.def has them)")
		os.Exit(2)
	}
	size, err := strconv.Atoi(args[1])
	if err != nil || size < 1 {
		fmt.Fprintln(os.Stderr, "the size must be a number above 0")
		os.Exit(2)
	}
	r := &Row{Name: args[0], Size: size, Units: size, notes: map[string]float64{}}
	run(r)
	line, err := json.Marshal(map[string]any{
		"row": r.Name, "size": r.Size, "units": r.Units, "wall": r.wall.Seconds(), "cpu": r.cpu,
		"rss_kb": peakResidentKb(), "voluntary": r.voluntary, "involuntary": r.involuntary,
		"check": r.check, "notes": r.notes,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}
