// Command tools lets a model call a function of this program, and answer with
// what it returned.
//
//	go run ./examples/tools "What is the weather in Oslo?"
//
// The model must be one that calls tools. That of the local stack is not.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

var getWeather = babyclient.FunctionTool("get_weather", "Current weather for a city", json.RawMessage(`{
	"type": "object",
	"properties": {
		"city": {"type": "string", "enum": ["Paris", "Oslo"]},
		"unit": {"type": "string", "enum": ["c", "f"]}
	},
	"required": ["city", "unit"],
	"additionalProperties": false
}`))

func main() {
	model := flag.String("model", cmp.Or(os.Getenv("BABYAPI_DEFAULT_MODEL"), "smollm2-135m-instruct"),
		"`model` that calls tools")
	flag.Parse()
	question := cmp.Or(strings.Join(flag.Args(), " "), "What is the weather in Oslo?")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *model, question); err != nil {
		fmt.Fprintln(os.Stderr, "tools:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, model, question string) error {
	client, err := babyclient.New()
	if err != nil {
		return err
	}
	req := &babyclient.ChatRequest{
		Model:       model,
		Messages:    []babyclient.Message{babyclient.User(question)},
		Tools:       []babyclient.Tool{getWeather},
		Temperature: new(0.0),
		MaxTokens:   new(300),
	}
	for range 5 { // a model could call for ever
		resp, err := client.Chat(ctx, req)
		if err != nil {
			return err
		}
		if len(resp.ToolCalls()) == 0 {
			fmt.Println(babyclient.Printable(resp.Text()))
			return nil
		}
		req.Messages = append(req.Messages, resp.Message())
		for _, call := range resp.ToolCalls() {
			result := answer(call.Function)
			fmt.Printf("%s(%s) = %s\n", call.Function.Name, call.Function.Arguments, result)
			req.Messages = append(req.Messages, babyclient.ToolResult(call.ID, result))
		}
	}
	return errors.New("the model called tools five times and gave no answer")
}

// answer runs a call. If something is wrong with the call, the answer says so, and the
// model can call again.
func answer(f babyclient.FunctionCall) string {
	if f.Name != getWeather.Function.Name {
		return fmt.Sprintf("error: there is no function %q", f.Name)
	}
	var args struct{ City, Unit string }
	if err := json.Unmarshal([]byte(f.Arguments), &args); err != nil {
		return "error: the arguments are not an object: " + err.Error()
	}
	celsius, ok := map[string]int{"Paris": 24, "Oslo": 21}[args.City]
	switch {
	case !ok:
		return fmt.Sprintf("error: no weather of %q", args.City)
	case args.Unit == "f":
		return fmt.Sprintf("%d F", celsius*9/5+32)
	}
	return fmt.Sprintf("%d C", celsius)
}
