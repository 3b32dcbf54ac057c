// Command stdlib makes one call with net/http and encoding/json; see calls.Main.
package main

import (
	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls/stdlib"
)

func main() { calls.Main(stdlib.Dial) }
