package main

import "slices"

// percentiles of a set of latencies, in milliseconds, by the benchmark's names.
type percentiles struct {
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
	P999 float64 `json:"p999_ms"`
}

// percentilesOf sorts the latencies; zero of none.
func percentilesOf(latencies []float32) percentiles {
	if len(latencies) == 0 {
		return percentiles{}
	}
	slices.Sort(latencies)
	at := func(percent float64) float64 {
		return float64(latencies[int(percent/100*float64(len(latencies)-1)+0.5)])
	}
	return percentiles{P50: at(50), P99: at(99), P999: at(99.9)}
}
