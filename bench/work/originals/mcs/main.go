// MCS's rows: its own three benchmarks, asked for row by row.
//
// Variants: waitgroups (the default) and chans, its two ways to wait for dependencies.
package main

import (
	"context"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jamesjarvis/massivelyconcurrentsystems/deps"
	"github.com/jamesjarvis/massivelyconcurrentsystems/pool"

	"trambench/measure"
)

func main() {
	rows := map[string]func(*measure.Row){
		"storm": storm, "storm-large": storm, "storm-empty": storm,
		"idle": idle, "idle-sleeping": idle,
	}
	rows["loads"], rows["loads-100"] = loads, loads
	if len(os.Args) < 2 || os.Args[1] != "--variant=chans" {
		for name := range singles {
			rows["single-"+name] = single
		}
		for name := range batches {
			rows["batch-"+name] = batch
		}
	}
	measure.Program(os.Args[1:], rows)
}

// Its benchmark has 10,000 workers for 11,111 units, of which 1,111 hold a worker while they wait.
// Where more than 10,000 would wait, that many would be too few, and nothing would ever end.
func workersFor(units int) int {
	if waiting := units / 10; waiting >= 10_000 {
		return 2 * waiting
	}
	return 10_000
}

func storm(r *measure.Row) {
	const fan = 10
	pause := time.Millisecond
	if r.Name == "storm-empty" {
		pause = 0
	}
	type unit struct {
		number int
		deps   deps.DependencyManager
	}
	ran := make([]bool, r.Size)
	var early atomic.Bool
	queue := make(chan unit, r.Size)
	for w := 0; w < workersFor(r.Size); w++ {
		go func() {
			for one := range queue {
				one.deps.WaitForDependencies()
				if pause > 0 {
					time.Sleep(pause)
				}
				if one.number*fan+fan < r.Size {
					for k := 1; k <= fan; k++ {
						if !ran[one.number*fan+k] {
							early.Store(true)
						}
					}
				}
				ran[one.number] = true
				one.deps.Finish()
			}
		}()
	}
	time.Sleep(200 * time.Millisecond) // Its workers wait already when its clock starts.
	r.Timed(func() {
		units := make([]unit, r.Size)
		for n := r.Size - 1; n >= 0; n-- {
			units[n] = unit{n, deps.NewDepHandlerWaitGroup()}
			if measure.Variant == "chans" {
				units[n].deps = deps.NewDepHandlerChans()
			}
			for k := 1; n*fan+fan < r.Size && k <= fan; k++ {
				units[n].deps.AddDependency(units[n*fan+k].deps)
			}
		}
		start := time.Now()
		queue <- units[0] // Its benchmark sends the root first, and then the deepest.
		for n := r.Size - 1; n > 0; n-- {
			queue <- units[n]
		}
		units[0].deps.Wait()
		r.Note("run_seconds", time.Since(start).Seconds())
	})
	close(queue)
	count := uint64(0)
	for _, one := range ran {
		if one {
			count++
		}
	}
	r.Check(!early.Load(), "units in order")
	r.CheckEqual(count, uint64(r.Size), "units that ran")
}

type unitOfWork = pool.UnitOfWork[int, int]

var singles = map[string][]pool.Opt{
	"default":         nil,
	"tiny-buffer":     {pool.SetBufferSize(1)},
	"large-buffer":    {pool.SetBufferSize(1000)},
	"tiny-interval":   {pool.SetBatchInterval(time.Nanosecond)},
	"huge-interval":   {pool.SetBatchInterval(10 * time.Millisecond)},
	"tiny-batch":      {pool.SetBatchSize(1)},
	"huge-batch":      {pool.SetBatchSize(1000)},
	"one-consumer":    {pool.SetNumConsumers(1)},
	"guess-consumers": {pool.SetNumConsumers(runtime.NumCPU() / 2)},
	"many-consumers":  {pool.SetNumConsumers(1000)},
	"guesstimate": {pool.SetNumConsumers(3), pool.SetBatchInterval(time.Nanosecond),
		pool.SetBatchSize(200), pool.SetBufferSize((runtime.NumCPU() / 2) * 200)},
}

// Two callers, each of which sends one unit and waits for it before the next.
func single(r *measure.Row) {
	const callers = 2
	var done atomic.Uint64
	dispatcher := pool.NewBatchDispatcher(func(units []unitOfWork) error {
		for _, one := range units {
			done.Add(1)
			one.Done()
		}
		return nil
	}, pool.NewConfig(singles[r.Name[len("single-"):]]...))
	dispatcher.Start()
	r.Timed(func() {
		var all sync.WaitGroup
		all.Add(callers)
		for c := 0; c < callers; c++ {
			share := r.Size*(c+1)/callers - r.Size*c/callers
			go func() {
				defer all.Done()
				wait := &sync.WaitGroup{}
				work := pool.NewUnitOfWork[int, int](1000, wait)
				for i := 0; i < share; i++ {
					wait.Add(1)
					if err := dispatcher.Put(context.Background(), work); err != nil {
						r.Check(false, err.Error())
					}
					wait.Wait()
				}
			}()
		}
		all.Wait()
	})
	r.CheckEqual(done.Load(), uint64(r.Size), "items that were done")
}

type batchOptions struct {
	takes time.Duration
	opts  []pool.Opt
}

const items = 1000 // Of one iteration of its benchmark (none, lots: see perIteration).

var batches = map[string]batchOptions{
	"none":            {},
	"lots":            {},
	"small-buffer":    {opts: []pool.Opt{pool.SetBufferSize(items / 10)}},
	"many-consumers":  {opts: []pool.Opt{pool.SetNumConsumers(items * 2)}},
	"tiny-batch":      {opts: []pool.Opt{pool.SetBatchSize(1)}},
	"huge-batch":      {opts: []pool.Opt{pool.SetBatchSize(items * 10)}},
	"tiny-interval":   {opts: []pool.Opt{pool.SetBatchInterval(time.Nanosecond)}},
	"slow":            {takes: 5 * time.Millisecond},
	"slow-huge-batch": {takes: 5 * time.Millisecond, opts: []pool.Opt{pool.SetBatchSize(items)}},
}

func perIteration(row string) int {
	if row == "batch-lots" {
		return 10 * items
	}
	return items
}

// One caller sends an iteration's items, and waits for all of them; none: makes and closes.
func batch(r *measure.Row) {
	how := batches[r.Name[len("batch-"):]]
	var left sync.WaitGroup
	var done, calls atomic.Uint64
	worker := func(units []unitOfWork) error {
		if how.takes > 0 {
			time.Sleep(how.takes)
		}
		done.Add(uint64(len(units)))
		calls.Add(1)
		left.Add(-len(units))
		return nil
	}
	if r.Name == "batch-none" {
		r.Timed(func() {
			for i := 0; i < r.Size; i++ {
				dispatcher := pool.NewBatchDispatcher(worker, pool.NewConfig())
				dispatcher.Start()
				r.Check(dispatcher.Close() == nil, "closed")
			}
		})
		return
	}
	dispatcher := pool.NewBatchDispatcher(worker, pool.NewConfig(how.opts...))
	dispatcher.Start()
	r.Timed(func() {
		for sent := 0; sent < r.Size; {
			count := perIteration(r.Name)
			if count > r.Size-sent {
				count = r.Size - sent
			}
			left.Add(count)
			for i := 0; i < count; i++ {
				err := dispatcher.Put(context.Background(), pool.NewUnitOfWork[int, int](1000, &left))
				if err != nil {
					r.Check(false, err.Error())
				}
			}
			left.Wait()
			sent += count
		}
	})
	r.Note("calls", float64(calls.Load()))
	r.CheckEqual(done.Load(), uint64(r.Size), "items that were done")
}

// See rows.h. A goroutine for each load, which is what waiting for a unit of work takes.
func loads(r *measure.Row) {
	const fan, roundTrip = 10, time.Millisecond
	limit := 1_000_000
	if r.Name == "loads-100" {
		limit = 100
	}
	var calls, early atomic.Uint64
	loaded := make([]atomic.Uint32, r.Size)
	dispatcher := pool.NewBatchDispatcher(func(units []unitOfWork) error {
		calls.Add(1)
		time.Sleep(roundTrip)
		for _, one := range units {
			loaded[one.GetRequest()].Add(1)
			one.Done()
		}
		return nil
	}, pool.NewConfig(pool.SetBatchSize(limit)))
	dispatcher.Start()
	var all sync.WaitGroup
	var load func(key int)
	load = func(key int) {
		defer all.Done()
		wait := &sync.WaitGroup{}
		wait.Add(1)
		if err := dispatcher.Put(context.Background(), pool.NewUnitOfWork[int, int](key, wait)); err != nil {
			r.Check(false, err.Error())
		}
		wait.Wait()
		early.Add(uint64(1 - loaded[key].Load()))
		for k := key*fan + 1; k <= key*fan+fan && k < r.Size; k++ {
			all.Add(1)
			go load(k)
		}
	}
	r.Timed(func() {
		all.Add(1)
		go load(0)
		all.Wait()
	})
	count, least := uint64(0), 0
	for key := range loaded {
		if loaded[key].Load() == 1 {
			count++
		}
	}
	for level, left := 1, r.Size; left > 0; level *= fan {
		keys := level
		if keys > left {
			keys = left
		}
		least += (keys + limit - 1) / limit
		left -= keys
	}
	r.Check(early.Load() == 0, "no answer before its call")
	r.CheckEqual(count, uint64(r.Size), "keys loaded once")
	r.Note("calls", float64(calls.Load()))
	r.Note("calls_least", float64(least))
}

// A batch dispatcher with its defaults, one item through it; or one whose batch is asleep.
func idle(r *measure.Row) {
	var left sync.WaitGroup
	dispatcher := pool.NewBatchDispatcher(func(units []unitOfWork) error {
		for _, one := range units {
			if one.GetRequest() > 0 {
				time.Sleep(time.Duration(one.GetRequest()) * time.Second)
			}
			one.Done()
		}
		return nil
	}, pool.NewConfig())
	dispatcher.Start()
	put := func(seconds int, left *sync.WaitGroup) {
		left.Add(1)
		if err := dispatcher.Put(context.Background(), pool.NewUnitOfWork[int, int](seconds, left)); err != nil {
			r.Check(false, err.Error())
		}
	}
	put(0, &left)
	left.Wait()
	if r.Name == "idle-sleeping" {
		var asleep sync.WaitGroup
		put(r.Size+1, &asleep)
	}
	time.Sleep(200 * time.Millisecond)
	r.Timed(func() { time.Sleep(time.Duration(r.Size) * time.Second) })
}
