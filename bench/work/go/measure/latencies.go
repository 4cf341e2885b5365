package measure

import (
	"sort"
	"time"
)

// Latencies is row 16's handoff-three: see rows.h.
type Latencies struct {
	start   time.Time
	ns      []int64
	last    int64
	ordered bool
}

const spacingNs = 1000

func NewLatencies(messages int) *Latencies {
	return &Latencies{start: time.Now(), ns: make([]int64, 0, messages), last: -1, ordered: true}
}

// WaitUntilDue spins until message number is due, and returns that moment.
func (l *Latencies) WaitUntilDue(number int) int64 {
	due := int64(number) * spacingNs
	for time.Since(l.start).Nanoseconds() < due {
	}
	return due
}

func (l *Latencies) Arrived(due int64) {
	l.ordered = l.ordered && due > l.last
	l.last = due
	l.ns = append(l.ns, time.Since(l.start).Nanoseconds()-due)
}

// Verify checks the order and notes the percentiles.
func (l *Latencies) Verify(r *Row) {
	r.Check(l.ordered, "messages in order")
	r.CheckEqual(uint64(len(l.ns)), uint64(r.Size), "messages that arrived")
	sort.Slice(l.ns, func(i, j int) bool { return l.ns[i] < l.ns[j] })
	at := func(q float64) float64 { return float64(l.ns[int(q*float64(len(l.ns)-1))]) / 1000 }
	r.Note("p50_us", at(.5))
	r.Note("p99_us", at(.99))
	r.Note("p999_us", at(.999))
	r.Note("max_us", at(1))
}
