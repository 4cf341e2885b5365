// Package stages is stages.h in Go: the jobs of row 5, their bodies, and the checks.
package stages

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"trambench/measure"
)

const Count = 3

// Job is made anew by each stage, as the original's benchmark does.
type Job struct {
	Number int
	Done   int
	Spun   uint64
	Doc    map[string]string
}

type Stages struct {
	row         *measure.Row
	json        bool
	doc         map[string]string
	turns       uint64
	seen        []bool
	received    int
	workSeconds float64
}

func spin(seed, turns uint64) uint64 {
	x := seed | 1
	for ; turns > 0; turns-- {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

var keep uint64 // So that no compiler leaves the calibration out.

func turnsPerMicrosecond() float64 {
	best := 0.0
	for i := 0; i < 50; i++ {
		start := time.Now()
		keep += spin(uint64(i), 100_000)
		if speed := 100_000 / (time.Since(start).Seconds() * 1e6); speed > best {
			best = speed
		}
	}
	return best
}

func New(r *measure.Row) *Stages {
	s := &Stages{row: r, json: strings.HasPrefix(r.Name, "stages-json"), seen: make([]bool, r.Size)}
	if s.json {
		s.doc = document()
	} else {
		us, err := strconv.ParseFloat(r.LastWord(), 64)
		if err != nil {
			panic(err)
		}
		s.turns = uint64(turnsPerMicrosecond() * us)
	}
	best := time.Hour
	job := s.Make(0)
	for i := 0; i < 20; i++ {
		start := time.Now()
		for j := 0; j < 5; j++ {
			job = s.Work(job)
		}
		if took := time.Since(start) / 5; took < best {
			best = took
		}
	}
	s.workSeconds = best.Seconds() * Count * float64(r.Size)
	return s
}

func (s *Stages) Jobs() int { return s.row.Size }

// Workers is what the original's benchmark has: 5 for 10 jobs, else 10.
func (s *Stages) Workers() int {
	if s.row.Size == 10 {
		return 5
	}
	return 10
}

func (s *Stages) Make(number int) *Job { return &Job{Number: number, Doc: s.doc} }

// Work is the body of every stage.
func (s *Stages) Work(job *Job) *Job {
	next := &Job{Number: job.Number, Done: job.Done + 1, Doc: job.Doc}
	if !s.json {
		next.Spun = spin(uint64(job.Number), s.turns)
		return next
	}
	text, err := json.Marshal(job.Doc)
	if err != nil {
		panic(err)
	}
	next.Doc = nil
	if err := json.Unmarshal(text, &next.Doc); err != nil {
		panic(err)
	}
	return next
}

// Received is called for each job that came out, by one goroutine at a time.
func (s *Stages) Received(job *Job) {
	s.row.Check(job.Done == Count, "every stage did its work")
	s.row.Check(job.Number < len(s.seen) && !s.seen[job.Number], "each job came out once")
	if s.json {
		same := len(job.Doc) == len(s.doc)
		if job.Number%64 == 0 { // Comparing costs, and row 5 asks for what is left over.
			for key, value := range s.doc {
				same = same && job.Doc[key] == value
			}
		}
		s.row.Check(same, "the document came out as it went in")
	}
	s.seen[job.Number] = true
	s.received++
}

// Iterate calls once for each iteration, which takes all jobs through all stages; and verifies. Short
// rows have more iterations, so that one process has about a thousand jobs.
func (s *Stages) Iterate(once func()) {
	iterations := 1
	if s.json && s.Jobs() < 1000 {
		iterations = 1000 / s.Jobs()
	}
	for i := 0; i < iterations; i++ {
		s.received = 0
		s.seen = make([]bool, s.Jobs())
		once()
		s.row.CheckEqual(uint64(s.received), uint64(s.Jobs()), "jobs that came out")
	}
	s.row.Units = s.Jobs() * iterations
	s.row.Note("work_seconds", s.workSeconds*float64(iterations))
}

func document() map[string]string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	random := uint32(2463534242)
	word := func() string {
		var word [100]byte
		for i := range word {
			random ^= random << 13
			random ^= random >> 17
			random ^= random << 5
			word[i] = letters[random%52]
		}
		return string(word[:])
	}
	doc := map[string]string{}
	for len(doc) < 100 {
		key := word()
		doc[key] = word()
	}
	return doc
}
