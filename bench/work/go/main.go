// Plain Go's rows: goroutines, channels and WaitGroups, without any library.
package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"trambench/measure"
)

func main() {
	measure.Program(os.Args[1:], map[string]func(*measure.Row){
		"storm": storm, "storm-large": storm, "storm-empty": storm,
		"stages-spin-0": pipelines, "stages-spin-1": pipelines, "stages-spin-10": pipelines,
		"stages-spin-100": pipelines, "stages-json-10": pipelines, "stages-json-100": pipelines,
		"stages-json-1000": pipelines,
		"skynet":           skynet, "async": async,
		"pipeline-linear": pipelineLinear, "pipeline-data": pipelineData,
		"tokio-chained": tokio, "tokio-ping-pong": tokio, "tokio-spawn-many": tokio,
		"tokio-yield-many": tokio,
		"handoff-hot":      handoff, "handoff-parked": handoff, "handoff-three": handoffThree,
		"queue-1x1-1": queue, "queue-1x2-1": queue, "queue-2x1-1": queue, "queue-2x2-1": queue,
		"million-fire": million, "million-cancel": million,
		"idle": idle, "idle-sleeping": idle,
	})
}

// One goroutine for each unit, which waits for its ten with a WaitGroup of its own.
func storm(r *measure.Row) {
	const fan = 10
	pause := time.Millisecond
	if r.Name == "storm-empty" {
		pause = 0
	}
	pending := make([]sync.WaitGroup, r.Size)
	ran := make([]bool, r.Size)
	early := false
	var root sync.WaitGroup
	r.Timed(func() {
		root.Add(1)
		for n := r.Size - 1; n >= 0; n-- {
			if n*fan+fan < r.Size {
				pending[n].Add(fan)
			}
		}
		for n := r.Size - 1; n >= 0; n-- {
			n, inner := n, n*fan+fan < r.Size
			go func() {
				pending[n].Wait()
				if pause > 0 {
					time.Sleep(pause)
				}
				for k := 1; inner && k <= fan; k++ {
					if !ran[n*fan+k] {
						early = true
					}
				}
				ran[n] = true
				if n > 0 {
					pending[(n-1)/fan].Done()
				} else {
					root.Done()
				}
			}()
		}
		root.Wait()
	})
	count := uint64(0)
	for _, one := range ran {
		if one {
			count++
		}
	}
	r.Check(!early, "units in order")
	r.CheckEqual(count, uint64(r.Size), "units that ran")
}

func skynetSum(first, leaves int, out chan<- uint64) {
	if leaves == 1 {
		out <- uint64(first)
		return
	}
	sums, each := make(chan uint64, 10), leaves/10
	for i := 0; i < 10; i++ {
		go skynetSum(first+i*each, each, sums)
	}
	sum := uint64(0)
	for i := 0; i < 10; i++ {
		sum += <-sums
	}
	out <- sum
}

func skynet(r *measure.Row) {
	out := make(chan uint64, 1)
	r.Timed(func() {
		go skynetSum(0, r.Size, out)
		sum := <-out
		r.CheckEqual(sum, uint64(r.Size)*uint64(r.Size-1)/2, "the sum of the leaves")
	})
	r.Units = r.Size * 10 / 9
}

func async(r *measure.Row) {
	var ran measure.Tally
	var all sync.WaitGroup
	r.Timed(func() {
		all.Add(r.Size)
		for i := 0; i < r.Size; i++ {
			go func() {
				ran.Add()
				all.Done()
			}()
		}
		all.Wait()
	})
	r.CheckEqual(ran.Sum(), uint64(r.Size), "tasks that ran")
}

const lines = 8

// One goroutine for each stage, channels of eight between them.
func pipelineLinear(r *measure.Row) {
	const stages = 4
	var ordered [stages]uint64
	r.Timed(func() {
		var in chan int
		for stage := 0; stage < stages; stage++ {
			stage, from, to := stage, in, make(chan int, lines)
			go func() {
				defer close(to)
				for token := 0; token < r.Size; token++ {
					got := token
					if from != nil {
						got = <-from
					}
					if got == token {
						ordered[stage]++
					}
					to <- got
				}
			}()
			in = to
		}
		for range in {
		}
	})
	for _, count := range ordered {
		r.CheckEqual(count, uint64(r.Size), "tokens in order")
	}
}

func stage[In, Out any](in <-chan In, work func(In) Out) <-chan Out {
	out := make(chan Out, lines)
	go func() {
		defer close(out)
		for value := range in {
			out <- work(value)
		}
	}()
	return out
}

func pipelineData(r *measure.Row) {
	sum, want := uint64(0), uint64(0)
	r.Timed(func() {
		first := make(chan int, lines)
		go func() {
			defer close(first)
			for token := 0; token < r.Size; token++ {
				first <- token % 100_000
			}
		}()
		texts := stage(first, strconv.Itoa)
		numbers := stage(texts, func(text string) int {
			number, err := strconv.Atoi(text)
			if err != nil {
				panic(err)
			}
			return number
		})
		for value := range stage(numbers, func(number int) float32 { return float32(number) }) {
			sum += uint64(value)
		}
	})
	for token := 0; token < r.Size; token++ {
		want += uint64(token % 100_000)
	}
	r.CheckEqual(sum, want, "the sum of what went in")
}

// Row 15 as tokio's benchmarks are written.
func tokio(r *measure.Row) {
	const many, spawned, yielders, yields = 1000, 10_000, 200, 1000
	var ran measure.Tally
	var all sync.WaitGroup
	var chain func(left int)
	chain = func(left int) {
		if left > 1 {
			go chain(left - 1)
		}
		ran.Add()
		all.Done()
	}
	each := map[string]int{"tokio-chained": many, "tokio-ping-pong": many,
		"tokio-spawn-many": spawned, "tokio-yield-many": yielders * yields}[r.Name]
	once := map[string]func(){
		"tokio-chained": func() {
			all.Add(many)
			go chain(many)
		},
		"tokio-ping-pong": func() {
			all.Add(many)
			for i := 0; i < many; i++ {
				go func() {
					ping, pong := make(chan struct{}, 1), make(chan struct{}, 1)
					go func() {
						<-ping
						pong <- struct{}{}
					}()
					ping <- struct{}{}
					<-pong
					ran.Add()
					all.Done()
				}()
			}
		},
		"tokio-spawn-many": func() {
			all.Add(spawned)
			for i := 0; i < spawned; i++ {
				go func() {
					ran.Add()
					all.Done()
				}()
			}
		},
		"tokio-yield-many": func() {
			all.Add(yielders)
			for i := 0; i < yielders; i++ {
				go func() {
					for y := 0; y < yields; y++ {
						ran.Add()
						runtime.Gosched()
					}
					all.Done()
				}()
			}
		},
	}[r.Name]
	r.Timed(func() {
		for i := 0; i < r.Size; i++ {
			once()
			all.Wait()
		}
	})
	r.Units = r.Size * each
	r.CheckEqual(ran.Sum(), uint64(r.Units), "tasks that ran")
}

// Hot: two goroutines, which Go runs on one thread if it can. Parked: each has a thread of its own.
func handoff(r *measure.Row) {
	there, back := make(chan int), make(chan int)
	turn := func(work func()) {
		if r.Name == "handoff-parked" {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
		}
		work()
	}
	last := 0
	r.Timed(func() {
		go turn(func() {
			for value := range there {
				back <- value + 1
			}
		})
		turn(func() {
			for i := 0; i < r.Size; i++ {
				there <- last
				last = <-back
			}
		})
		close(there)
	})
	r.Units = 2 * r.Size
	r.CheckEqual(uint64(last), uint64(r.Size), "round trips")
}

func handoffThree(r *measure.Row) {
	first, second := make(chan int64, 1024), make(chan int64, 1024)
	latencies := measure.NewLatencies(r.Size)
	done := make(chan struct{})
	r.Timed(func() {
		go func() {
			defer close(second)
			for due := range first {
				second <- due
			}
		}()
		go func() {
			defer close(done)
			for due := range second {
				latencies.Arrived(due)
			}
		}()
		for i := 0; i < r.Size; i++ {
			first <- latencies.WaitUntilDue(i)
		}
		close(first)
		<-done
	})
	latencies.Verify(r)
}

func queue(r *measure.Row) {
	producers, consumers := int(r.Name[6]-'0'), int(r.Name[8]-'0')
	values := make(chan int, 1024)
	sums := make([]uint64, consumers)
	disorder := false
	border := r.Size
	if producers == 2 {
		border = r.Size / 2
	}
	var producing, consuming sync.WaitGroup
	r.Timed(func() {
		for c := 0; c < consumers; c++ {
			c := c
			consuming.Add(1)
			go func() {
				defer consuming.Done()
				last, sum := [2]int{-1, -1}, uint64(0)
				for value := range values {
					from := 0
					if value >= border {
						from = 1
					}
					if value <= last[from] {
						disorder = true
					}
					last[from] = value
					sum += uint64(value)
				}
				sums[c] = sum
			}()
		}
		for p := 0; p < producers; p++ {
			from, to := r.Size*p/producers, r.Size*(p+1)/producers
			producing.Add(1)
			go func() {
				defer producing.Done()
				for value := from; value < to; value++ {
					values <- value
				}
			}()
		}
		producing.Wait()
		close(values)
		consuming.Wait()
	})
	total := uint64(0)
	for _, sum := range sums {
		total += sum
	}
	r.Check(!disorder, "in order for each producer")
	r.CheckEqual(total, uint64(r.Size)*uint64(r.Size-1)/2, "the sum")
}

// Goroutines that wait for one channel to be closed; cancelled, they find out which of two it was.
func million(r *measure.Row) {
	cancel := strings.HasSuffix(r.Name, "cancel")
	ready, cancelled := make(chan struct{}), make(chan struct{})
	var ran measure.Tally
	var all sync.WaitGroup
	before, start, spawned := measure.ResidentBytes(), time.Now(), time.Duration(0)
	r.Timed(func() {
		all.Add(r.Size)
		for i := 0; i < r.Size; i++ {
			go func() {
				defer all.Done()
				select {
				case <-ready:
					ran.Add()
				case <-cancelled:
				}
			}()
		}
		spawned = time.Since(start)
	})
	for runtime.Gosched(); runtime.NumGoroutine() < r.Size; {
		runtime.Gosched()
	}
	time.Sleep(100 * time.Millisecond) // Until the last ones wait.
	r.Note("bytes_each", (measure.ResidentBytes()-before)/float64(r.Size))
	r.Note("spawn_ns_each", float64(spawned.Nanoseconds())/float64(r.Size))
	start = time.Now()
	r.Timed(func() {
		if cancel {
			close(cancelled)
		} else {
			close(ready)
		}
		all.Wait()
	})
	r.Note("finish_seconds", time.Since(start).Seconds())
	want := uint64(r.Size)
	if cancel {
		want = 0
	}
	r.CheckEqual(ran.Sum(), want, "units that ran")
}

func idle(r *measure.Row) {
	ran := make(chan struct{})
	go close(ran)
	<-ran
	if r.Name == "idle-sleeping" {
		go time.Sleep(time.Duration(r.Size+1) * time.Second)
	}
	time.Sleep(200 * time.Millisecond)
	r.Timed(func() { time.Sleep(time.Duration(r.Size) * time.Second) })
}
