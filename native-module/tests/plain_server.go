// SPDX-License-Identifier: Apache-2.0

// A Go program that knows nothing of the library: it answers at a port what it was told last, once its
// goroutines have gone on since the question. They check what they compute; a wrong result is the answer.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const workers = 8

var (
	ticks, rounds, wrong int64
	lock                 sync.Mutex
	value                = "none"
)

// tick is what time.Sleep and the network poller wait for.
func tick() {
	for {
		atomic.AddInt64(&ticks, 1)
		time.Sleep(time.Millisecond)
	}
}

// work allocates, so that the collector runs, and passes goroutines between threads.
func work(numbers chan int) {
	for {
		squares := map[int]string{}
		for i := 0; i < 200; i++ {
			squares[i] = fmt.Sprint(i * i)
		}
		go func() { numbers <- len(squares) }()
		if <-numbers != 200 || squares[12] != "144" {
			atomic.AddInt64(&wrong, 1)
		}
		atomic.AddInt64(&rounds, 1)
		time.Sleep(100 * time.Microsecond)
	}
}

// goesOn returns when the counter has moved, or false after a while.
func goesOn(counter *int64) bool {
	before := atomic.LoadInt64(counter)
	for i := 0; i < 10000 && atomic.LoadInt64(counter) < before+2; i++ {
		time.Sleep(time.Millisecond)
	}
	return atomic.LoadInt64(counter) >= before+2
}

func serve(connection net.Conn) {
	defer connection.Close()
	line, err := bufio.NewReader(connection).ReadString('\n')
	words := strings.Fields(line)
	if err != nil || len(words) == 0 {
		return
	}
	lock.Lock()
	if words[0] == "set" && len(words) == 2 {
		value = words[1]
	}
	answer := value
	lock.Unlock()
	if !goesOn(&ticks) || !goesOn(&rounds) {
		answer = "a goroutine stands still"
	}
	if atomic.LoadInt64(&wrong) != 0 {
		answer = "a goroutine has computed something wrong"
	}
	fmt.Fprintln(connection, answer)
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go tick()
	for i := 0; i < workers; i++ {
		go work(make(chan int))
	}
	for {
		connection, err := listener.Accept()
		if err == nil {
			go serve(connection)
		}
	}
}
