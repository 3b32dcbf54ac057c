// Command langchaingo makes one call with langchaingo's openai provider; see calls.Main.
package main

import (
	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls/langchaingo"
)

func main() { calls.Main(langchaingo.Dial) }
