// Command go-openai makes one call with go-openai; see calls.Main.
package main

import (
	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls/goopenai"
)

func main() { calls.Main(goopenai.Dial) }
