// Command go-load is a load of real foreign clients: grpc-go as it comes, a TCP connection each. The benchmark tells it
// what to do, one JSON object a line on stdin, and reads its answers, one a line, on stdout (../go-load-process.ts).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"syscall"
)

type ask struct {
	ID     int               `json:"id"`
	Method string            `json:"method"`
	Args   []json.RawMessage `json:"args"`
}

type answer struct {
	ID      int    `json:"id"`
	Value   any    `json:"value,omitempty"`
	Problem string `json:"problem,omitempty"`
}

func main() {
	load := newLoad()
	out := json.NewEncoder(os.Stdout)
	var writing sync.Mutex
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20) // Thousands of tokens come in one line.
	for lines.Scan() {
		var asked ask
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, "go-load:", err)
			os.Exit(2)
		}
		go func() { // Connecting takes long, and the benchmark reads CPU meanwhile.
			value, err := call(load, asked)
			said := answer{ID: asked.ID, Value: value}
			if err != nil {
				said.Problem = err.Error()
			}
			writing.Lock()
			defer writing.Unlock()
			_ = out.Encode(said)
		}()
	}
}

func call(load *load, asked ask) (any, error) {
	switch asked.Method {
	case "connect":
		options, err := argument[connectOptions](asked)
		if err != nil {
			return nil, err
		}
		return nil, load.connect(options)
	case "pair":
		options, err := argument[pairOptions](asked)
		if err != nil {
			return nil, err
		}
		return nil, load.pair(options)
	case "startWindow":
		inFlight, err := argument[int](asked)
		if err != nil {
			return nil, err
		}
		load.startWindow(inFlight)
		return nil, nil
	case "startRate":
		options, err := argument[postOptions](asked)
		if err != nil {
			return nil, err
		}
		return nil, load.startRate(options)
	case "done":
		return load.done()
	case "resetLatencies":
		load.resetLatencies()
		return nil, nil
	case "latencies":
		return load.latencies(), nil
	case "stop":
		return load.stop()
	case "cpuSeconds":
		return cpuSeconds()
	}
	return nil, fmt.Errorf("the load has no method %s", asked.Method)
}

func argument[T any](asked ask) (T, error) {
	var value T
	if len(asked.Args) != 1 {
		return value, fmt.Errorf("%s wants one argument", asked.Method)
	}
	return value, json.Unmarshal(asked.Args[0], &value)
}

// cpuSeconds is this process's user plus system time so far.
func cpuSeconds() (float64, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, err
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(used.Utime) + seconds(used.Stime), nil
}
