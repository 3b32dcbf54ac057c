// Command openai-go makes one call with openai-go; see calls.Main.
package main

import (
	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls/openaigo"
)

func main() { calls.Main(openaigo.Dial) }
