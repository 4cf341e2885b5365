// Pool's rows: its own benchmark, three dispatchers one behind the other.
//
// Variants: unbuffered (the default), buffered, and published. Its benchmark's helper starts a
// dispatcher, throws it away and starts another when buffering is asked for, so each iteration
// leaks three pools of goroutines. `buffered` starts one; `published` does as the original does.
package main

import (
	"context"
	"os"
	"time"

	"github.com/nickbadlose/pool"

	"trambench/measure"
	"trambench/stages"
)

func main() {
	measure.Program(os.Args[1:], map[string]func(*measure.Row){
		"stages-spin-0": pipeline, "stages-spin-1": pipeline, "stages-spin-10": pipeline,
		"stages-spin-100": pipeline, "stages-json-10": pipeline, "stages-json-100": pipeline,
		"stages-json-1000": pipeline,
		"async":            async,
		"idle":             idle, "idle-sleeping": idle,
	})
}

type worker struct {
	all *stages.Stages
	job *stages.Job
}

func (w *worker) Work(context.Context) any { return &worker{w.all, w.all.Work(w.job)} }

func dispatcher(wp *pool.WorkerPool, jobs int) *pool.Dispatcher {
	ctx := context.Background()
	switch measure.Variant {
	case "buffered":
		return wp.Start(ctx, jobs)
	case "published":
		wp.Start(ctx)
		return wp.Start(ctx, jobs)
	}
	return wp.Start(ctx)
}

func pipeline(r *measure.Row) {
	s := stages.New(r)
	wp := pool.NewWorkerPool(pool.WithWorkers(s.Workers()))
	s.Iterate(func() {
		var errors error
		r.Timed(func() { errors = once(s, wp) })
		r.Check(errors == nil, "no dispatcher has an error")
	})
}

func once(s *stages.Stages, wp *pool.WorkerPool) error {
	first := dispatcher(wp, s.Jobs())
	go func() {
		defer first.Done()
		for i := 0; i < s.Jobs(); i++ {
			if first.Dispatch(&worker{s, s.Make(i)}) != nil {
				return
			}
		}
	}()
	last := first
	all := []*pool.Dispatcher{first}
	for stage := 1; stage < stages.Count; stage++ {
		before, next := last, dispatcher(wp, s.Jobs())
		go func() {
			defer next.Done()
			for result := range before.Receive() {
				if next.Dispatch(result.(*worker)) != nil {
					return
				}
			}
		}()
		last = next
		all = append(all, next)
	}
	for result := range last.Receive() {
		s.Received(result.(*worker).job)
	}
	return wp.Err(all...)
}

type empty struct{}

func (empty) Work(context.Context) any { return nil }

func async(r *measure.Row) {
	wp := pool.NewWorkerPool(pool.WithWorkers(2))
	count := uint64(0)
	r.Timed(func() {
		d := dispatcher(wp, r.Size)
		go func() {
			defer d.Done()
			for i := 0; i < r.Size; i++ {
				if d.Dispatch(empty{}) != nil {
					return
				}
			}
		}()
		for range d.Receive() {
			count++
		}
	})
	r.CheckEqual(count, uint64(r.Size), "tasks that ran")
}

type sleeper struct{ duration time.Duration }

func (s sleeper) Work(context.Context) any {
	time.Sleep(s.duration)
	return nil
}

func idle(r *measure.Row) {
	d := dispatcher(pool.NewWorkerPool(), 10)
	r.Check(d.Dispatch(empty{}) == nil, "dispatched")
	<-d.Receive()
	if r.Name == "idle-sleeping" {
		r.Check(d.Dispatch(sleeper{time.Duration(r.Size+1) * time.Second}) == nil, "dispatched")
	}
	time.Sleep(200 * time.Millisecond)
	r.Timed(func() { time.Sleep(time.Duration(r.Size) * time.Second) })
}
