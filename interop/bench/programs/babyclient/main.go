// Command babyclient makes one call with babyclient; see calls.Main.
package main

import (
	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls/babyapi"
)

func main() { calls.Main(babyapi.Dial) }
