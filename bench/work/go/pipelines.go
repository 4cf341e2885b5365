package main

import (
	"sync"

	"trambench/measure"
	"trambench/stages"
)

// Row 5 with channels, the original's "3 steps": the workers of a stage pass on what they did.
func pipelines(r *measure.Row) {
	s := stages.New(r)
	s.Iterate(func() { r.Timed(func() { once(s) }) })
}

func once(s *stages.Stages) {
	in := make(chan *stages.Job)
	go func(first chan<- *stages.Job) {
		defer close(first)
		for i := 0; i < s.Jobs(); i++ {
			first <- s.Make(i)
		}
	}(in)
	for stage := 0; stage < stages.Count; stage++ {
		from, to := in, make(chan *stages.Job)
		var workers sync.WaitGroup
		workers.Add(s.Workers())
		for w := 0; w < s.Workers(); w++ {
			go func() {
				defer workers.Done()
				for job := range from {
					to <- s.Work(job)
				}
			}()
		}
		go func() {
			workers.Wait()
			close(to)
		}()
		in = to
	}
	for job := range in {
		s.Received(job)
	}
}
