// A Go program that uses proletariat as its users do, through its own API alone. It is built only
// where there is a checkout of the original: tests/support/proletariat.py.
//
//	send ADDRESS                     a message of each size, SIZES on standard input, one after another
//	many ADDRESS SENDERS COUNT POOL  COUNT messages "<sender> <number>" from each of so many goroutines
//	listen [TIMEOUT]                 prints where it listens; then of each message: from, size, hash
//	echo                             prints where it listens, and answers each message to From
//	ask ADDRESS TEXT SECONDS         sends TEXT and then its own address, prints what comes in that time
//
// `listen` and `echo` end when their standard input does.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/digital-comrades/proletariat/pkg/proletariat"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "original:", err)
		os.Exit(1)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func open(timeout time.Duration, pool int) proletariat.Communication {
	communication, err := proletariat.NewCommunication(proletariat.Configuration{
		Address: "127.0.0.1:0", Timeout: timeout, PoolSize: pool, Ctx: context.Background()})
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

// Text of the given size, of which no two neighbouring bytes are alike, and no two sizes begin alike.
func body(size int) []byte {
	text := make([]byte, size)
	for i := range text {
		text[i] = byte('a' + (size+7*i)%26)
	}
	return text
}

// What `communication` receives goes to `each`, until standard input ends.
func receive(communication proletariat.Communication, each func(proletariat.Datagram)) {
	fmt.Println(communication.Addr())
	go func() {
		for datagram := range communication.Receive() {
			each(datagram)
		}
	}()
	_, err := io.Copy(io.Discard, os.Stdin)
	check(err)
}

func main() {
	switch os.Args[1] {
	case "send":
		communication := open(0, 10)
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			check(communication.Send(proletariat.Address(os.Args[2]), body(number(lines.Text()))))
		}
		check(communication.Close())
	case "many":
		communication := open(0, number(os.Args[5]))
		var senders sync.WaitGroup
		for sender := 0; sender < number(os.Args[3]); sender++ {
			senders.Add(1)
			go func(sender int) {
				defer senders.Done()
				for i := 0; i < number(os.Args[4]); i++ {
					text := fmt.Sprintf("%d %d", sender, i)
					check(communication.Send(proletariat.Address(os.Args[2]), []byte(text)))
				}
			}(sender)
		}
		senders.Wait()
		check(communication.Close())
	case "listen":
		timeout := time.Duration(0)
		if len(os.Args) > 2 {
			var err error
			timeout, err = time.ParseDuration(os.Args[2])
			check(err)
		}
		receive(open(timeout, 10), func(datagram proletariat.Datagram) {
			data := datagram.Data.Bytes()
			fmt.Printf("%s %d %x\n", datagram.From, len(data), sha256.Sum256(data))
		})
	case "echo":
		communication := open(0, 10)
		receive(communication, func(datagram proletariat.Datagram) {
			answer := append([]byte("re: "), datagram.Data.Bytes()...)
			if err := communication.Send(datagram.From, answer); err != nil {
				fmt.Println("not answered:", err)
			}
		})
	case "ask":
		communication := open(0, 10)
		question := bytes.Join([][]byte{[]byte(os.Args[3]), []byte(communication.Addr().String())}, []byte(" "))
		check(communication.Send(proletariat.Address(os.Args[2]), question))
		select {
		case datagram := <-communication.Receive():
			fmt.Println(datagram.Data.String())
		case <-time.After(time.Duration(number(os.Args[4])) * time.Second):
			fmt.Println("nothing came")
		}
	default:
		fmt.Fprintln(os.Stderr, "original: there is no", os.Args[1])
		os.Exit(2)
	}
}
