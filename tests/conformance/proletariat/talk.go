// A Go program on the wire of the peer layer: byte slices through github.com/ugorji/go/codec with a
// MsgpackHandle as it comes, on plain TCP connections, as proletariat does it.
//
//	talk send ADDRESS [bin]   sends one message of each size, and one of a nil slice
//	talk ask ADDRESS TEXT     sends TEXT, and prints what comes back on the same connection
//	talk listen N             says where it listens, and prints the size and hash of N messages
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/ugorji/go/codec"
)

var sizes = []int{0, 1, 11, 31, 32, 255, 256, 4095, 65535, 65536, 1000000}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "talk:", err)
		os.Exit(1)
	}
}

func main() {
	var handle codec.MsgpackHandle
	switch os.Args[1] {
	case "send":
		handle.WriteExt = len(os.Args) > 3 && os.Args[3] == "bin"
		connection, err := net.Dial("tcp", os.Args[2])
		check(err)
		encoder := codec.NewEncoder(connection, &handle)
		for _, size := range sizes {
			check(encoder.Encode(bytes.Repeat([]byte("a"), size)))
		}
		check(encoder.Encode([]byte(nil)))
		check(connection.Close())
	case "ask":
		connection, err := net.Dial("tcp", os.Args[2])
		check(err)
		check(codec.NewEncoder(connection, &handle).Encode([]byte(os.Args[3])))
		var answer []byte
		check(codec.NewDecoder(connection, &handle).Decode(&answer))
		fmt.Printf("%s\n", answer)
	case "listen":
		count, err := strconv.Atoi(os.Args[2])
		check(err)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		check(err)
		fmt.Println(listener.Addr())
		for came := 0; came < count; {
			connection, err := listener.Accept()
			check(err)
			decoder := codec.NewDecoder(bufio.NewReader(connection), &handle)
			for came < count {
				var message []byte
				if decoder.Decode(&message) != nil {
					break
				}
				came++
				fmt.Printf("%d %x\n", len(message), sha256.Sum256(message))
			}
		}
	}
}
