package babyclient

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkReadChat decodes plain answers: of text, and of tool calls.
func BenchmarkReadChat(b *testing.B) {
	var calls strings.Builder
	for i := range 8 {
		if i > 0 {
			calls.WriteString(",")
		}
		fmt.Fprintf(&calls, `{"id":"call_%d","type":"function","function":{"name":"lookup","arguments":"{\"city\":\"Paris\",`+
			`\"days\":%d}"}}`, i, i)
	}
	answer := func(message string) string {
		return `{"id":"chatcmpl-9","object":"chat.completion","created":1795345548,"model":"meta-llama/Llama-3.3-70B-Instruct",` +
			`"choices":[{"index":0,"message":{"role":"assistant",` + message + `},"logprobs":null,"finish_reason":"stop",` +
			`"stop_reason":null}],"usage":{"prompt_tokens":3,"completion_tokens":700,"total_tokens":703}}`
	}
	for name, raw := range map[string]string{
		"text":  answer(`"content":"` + strings.Repeat("Some words, and others.\\n", 160) + `"`),
		"short": answer(`"content":"Hello."`),
		"calls": answer(`"content":null,"tool_calls":[` + calls.String() + `]`),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := readChat([]byte(raw)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
