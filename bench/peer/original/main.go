// proletariat's half of bench/peer: round.h, whose words and lines these are, in Go. It uses
// proletariat through its own API alone, and is built only where there is a checkout of it.
//
// As in its own benchmark, messages are sent in batches of 1,024 and the pool's size is 10. It
// cannot be answered on a connection that it dialled, so a question says where the asker listens.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/digital-comrades/proletariat/pkg/proletariat"
)

const (
	batch    = 1024
	poolSize = 10
)

type round struct {
	kind              string
	size              int
	warm, count       uint64
	senders           uint64
	address           proletariat.Address
	latencies         []time.Duration
	measuresLatencies bool
}

var fromRun = bufio.NewReader(os.Stdin)

// A line from `run`, or its end.
func waitForRun() { _, _ = fromRun.ReadString('\n') }

// Ends this process: nothing of the round can be believed.
func giveUp(why any) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}

func check(err error) {
	if err != nil {
		giveUp(err)
	}
}

func number(text string) uint64 {
	value, err := strconv.ParseUint(text, 10, 64)
	check(err)
	return value
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

func open() proletariat.Communication {
	communication, err := proletariat.NewCommunication(proletariat.Configuration{
		Address: "127.0.0.1:0", PoolSize: poolSize, Ctx: context.Background()})
	check(err)
	// Close waits for ever if it comes before Start has begun.
	begins := make(chan struct{})
	go func() {
		close(begins)
		communication.Start()
	}()
	<-begins
	return communication
}

func (r *round) message() []byte { return bytes.Repeat([]byte("x"), r.size) }

func (r *round) receive() {
	communication := open()
	fmt.Println(communication.Addr())
	go func() {
		var came, sum, all uint64 = 0, 0, r.warm + r.count
		var cpuBegan float64
		problem := ""
		for datagram := range communication.Receive() {
			data := datagram.Data.Bytes()
			if r.kind == "ask" {
				asker := proletariat.Address(bytes.TrimRight(data[8:], "x"))
				check(communication.Send(asker, data))
			}
			if len(data) != r.size {
				problem = fmt.Sprintf("a message of %d bytes came", len(data))
			}
			number := binary.LittleEndian.Uint64(data)
			if r.senders == 1 && r.kind != "connect" && number != came {
				problem = fmt.Sprintf("message %d came in the place of %d", number, came)
			}
			sum += number
			came++
			if came == r.warm {
				cpuBegan = cpuSeconds()
				fmt.Println("warm")
			}
			if came == all {
				end, cpu := time.Now().UnixNano(), cpuSeconds()-cpuBegan
				if sum != all*(all-1)/2 {
					problem = "some came twice, and others not at all"
				}
				fmt.Printf("{\"end\":%d,\"cpu\":%.6f,\"problem\":%q}\n", end, cpu, problem)
			}
		}
	}()
	waitForRun()
}

func (r *round) sendParts(send func(first, last uint64), first, last uint64) {
	var senders sync.WaitGroup
	part := (last - first) / r.senders
	for i := uint64(0); i < r.senders; i++ {
		from, to := first+i*part, first+(i+1)*part
		if i+1 == r.senders {
			to = last
		}
		senders.Add(1)
		go func() {
			defer senders.Done()
			send(from, to)
		}()
	}
	senders.Wait()
}

// What a sender does, from its first message to its result.
func (r *round) send(send func(first, last uint64)) {
	r.sendParts(send, 0, r.warm)
	waitForRun()
	r.latencies = r.latencies[:0]
	cpuBegan, begin := cpuSeconds(), time.Now().UnixNano()
	r.sendParts(send, r.warm, r.warm+r.count)
	waitForRun()
	cpu, more := cpuSeconds()-cpuBegan, ""
	if r.measuresLatencies {
		sort.Slice(r.latencies, func(a, b int) bool { return r.latencies[a] < r.latencies[b] })
		percentile := func(percent int) float64 {
			return float64(r.latencies[(len(r.latencies)-1)*percent/100].Nanoseconds()) * 1e-3
		}
		more = fmt.Sprintf(",\"p50_us\":%.2f,\"p99_us\":%.2f", percentile(50), percentile(99))
	}
	fmt.Printf("{\"begin\":%d,\"cpu\":%.6f%s}\n", begin, cpu, more)
}

func (r *round) stream() {
	communication := open()
	r.send(func(first, last uint64) {
		message := r.message()
		for first < last {
			for end := min(first+batch, last); first < end; first++ {
				binary.LittleEndian.PutUint64(message, first)
				check(communication.Send(r.address, message))
			}
		}
	})
}

func (r *round) ask() {
	communication := open()
	r.measuresLatencies = true
	r.send(func(first, last uint64) {
		message := r.message()
		copy(message[8:], communication.Addr().String())
		for ; first < last; first++ {
			asked := time.Now()
			binary.LittleEndian.PutUint64(message, first)
			check(communication.Send(r.address, message))
			answer := <-communication.Receive()
			if !bytes.Equal(answer.Data.Bytes(), message) {
				giveUp("not what was asked came back")
			}
			r.latencies = append(r.latencies, time.Since(asked))
		}
	})
}

// A Communication for each message, and with it a connection: there is no other way to close one.
func (r *round) connect() {
	r.send(func(first, last uint64) {
		message := r.message()
		for ; first < last; first++ {
			binary.LittleEndian.PutUint64(message, first)
			communication := open()
			check(communication.Send(r.address, message))
			check(communication.Close())
		}
	})
}

func main() {
	if len(os.Args) < 8 {
		giveUp("it is bench/peer/run that calls this: bench/peer/README.md")
	}
	r := &round{kind: os.Args[3], size: int(number(os.Args[4])), warm: number(os.Args[5]),
		count: number(os.Args[6]), senders: number(os.Args[7])}
	if os.Args[1] == "receive" {
		r.receive()
		return
	}
	r.address = proletariat.Address(os.Args[8])
	switch r.kind {
	case "stream":
		r.stream()
	case "ask":
		r.ask()
	case "connect":
		r.connect()
	}
}
