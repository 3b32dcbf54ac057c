package main

import "testing"

func residentMemory(t *testing.T, _ int) int64 {
	t.Helper()
	t.Skip("the memory of a process is read from /proc")
	return 0
}
