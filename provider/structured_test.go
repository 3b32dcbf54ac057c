package provider_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tmc/langchaingo/jsonschema"
	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

type invoice struct {
	Reasoning string  `json:"reasoning" jsonschema_description:"think first"`
	Total     float64 `json:"total"`
	Currency  string  `json:"currency" jsonschema:"enum=EUR,enum=USD,description=as ISO 4217\\, in capitals"`
	Lines     []line  `json:"lines,omitempty" jsonschema:"minItems=1"`
	Due       *time.Time
	Notes     map[string]string `json:"notes,omitzero"`
	audit
	hidden  int
	Ignored func() `json:"-"`
}

type line struct {
	Count uint `json:"count" jsonschema:"minimum=1,maximum=9"`
	Parts []line
}

type audit struct {
	Checked bool `json:"checked"`
}

func testStructuredOutput(t *testing.T) {
	_ = invoice{}.hidden
	object := `{"type":"object","properties":{"a":{"type":"string"}}}`
	definition := jsonschema.Definition{Type: jsonschema.Object,
		Properties: map[string]jsonschema.Definition{"a": {Type: jsonschema.String}}}
	wrap := func(name, schema string) string {
		return `{"type":"json_schema","json_schema":{"name":"` + name + `","strict":true,"schema":` + schema + `}}`
	}
	lineSchema := `{"type":"object","properties":{"count":{"type":"integer","minimum":1,"maximum":9},` +
		`"Parts":{"type":"array","items":{"$ref":"#/$defs/provider_test_line"}}},"required":["count","Parts"],` +
		`"additionalProperties":false}`
	for name, test := range map[string]struct {
		options []llms.CallOption
		want    string
	}{
		"raw": {[]llms.CallOption{provider.WithJSONSchema("a thing", json.RawMessage(object))},
			wrap("a_thing", object)},
		"definition": {[]llms.CallOption{provider.WithJSONSchema("", definition)},
			wrap("answer", jsonOf(t, definition))},
		"JSON mode": {[]llms.CallOption{provider.WithJSONSchema("", definition), llms.WithJSONMode(),
			llms.WithResponseMIMEType("application/json")}, wrap("answer", jsonOf(t, definition))},
		"later wins": {[]llms.CallOption{provider.WithJSONType[invoice](), provider.WithJSONSchema("x", definition)},
			wrap("x", jsonOf(t, definition))},
		"Go type": {[]llms.CallOption{provider.WithJSONType[invoice]()}, wrap("invoice", `{"type":"object",`+
			`"properties":{
			"reasoning":{"type":"string","description":"think first"},
			"total":{"type":"number"},
			"currency":{"type":"string","enum":["EUR","USD"],"description":"as ISO 4217, in capitals"},
			"lines":{"type":"array","minItems":1,"items":`+lineSchema+`},
			"Due":{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}]},
			"notes":{"type":"object","additionalProperties":{"type":"string"}},
			"checked":{"type":"boolean"}},
			"required":["reasoning","total","currency","Due","checked"],"additionalProperties":false,`+
			`"$defs":{"provider_test_line":`+lineSchema+`}}`)},
		"list": {[]llms.CallOption{provider.WithJSONType[[]int]()},
			wrap("answer", `{"type":"array","items":{"type":"integer"}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			sameJSON(t, name, jsonOf(t, sentOptions(t, nil, test.options...)["response_format"]), test.want)
			streamed := append(test.options, llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }),
				llms.WithTools([]llms.Tool{{Function: &llms.FunctionDefinition{Name: "f"}}}))
			sameJSON(t, "streamed, with tools", jsonOf(t, sentOptions(t, nil, streamed...)["response_format"]),
				test.want)
		})
	}
	// The model writes the fields in the order of the schema.
	srv := chatServer(t)
	if _, err := newLLM(t, srv).GenerateContent(t.Context(), human("x"), provider.WithJSONType[invoice]()); err != nil {
		t.Fatal(err)
	}
	last := -1
	for _, field := range []string{`"reasoning":`, `"total":`, `"currency":`, `"lines":`, `"Due":`, `"notes":`,
		`"checked":`} {
		at := strings.Index(string(srv.Requests()[0].Body), field)
		if at <= last {
			t.Errorf("%s is out of order", field)
		}
		last = at
	}

	for name, test := range map[string]struct {
		option llms.CallOption
		words  string
	}{
		"null":        {provider.WithJSONSchema("x", nil), "null"},
		"no JSON":     {provider.WithJSONSchema("x", func() {}), "unsupported type"},
		"text":        {provider.WithJSONSchema("x", "object"), `object`},
		"channel":     {provider.WithJSONType[struct{ C chan int }](), "field C"},
		"map of ints": {provider.WithJSONType[map[int]string](), "keys"},
		"unknown tag": {provider.WithJSONType[struct {
			A int `jsonschema:"multiple=2"`
		}](), `"multiple"`},
		"bad number": {provider.WithJSONType[struct {
			A int `jsonschema:"minimum=two"`
		}](), `"two"`},
		"bad enum": {provider.WithJSONType[struct {
			A int `jsonschema:"enum=one"`
		}](), `"one"`},
	} {
		t.Run(name, func(t *testing.T) {
			srv := chatServer(t)
			_, err := newLLM(t, srv).GenerateContent(t.Context(), human("x"), test.option)
			refused(t, srv, err, llms.ErrCodeInvalidRequest, "schema", test.words)
		})
	}
}

func TestGenerateJSON(t *testing.T) {
	srv := chatServer(t, says(`{"count":3,"Parts":[]}`), says("three"),
		babytest.JSON(200,
			`{"choices":[{"message":{"content":"{\"count\":"},"finish_reason":"length"}]}`), babytest.JSON(500, `{}`))
	llm := newLLM(t, srv)
	got, resp, err := provider.GenerateJSON[line](t.Context(), llm, human("x"))
	if err != nil || got.Count != 3 || resp.Choices[0].StopReason != "stop" {
		t.Fatalf("value %+v, error %v; want a count of 3", got, err)
	}
	_, resp, err = provider.GenerateJSON[line](t.Context(), llm, human("x"))
	wantError(t, err, llms.ErrCodeProviderUnavailable, "not the JSON")
	if _, ok := errors.AsType[*json.SyntaxError](err); !ok || resp.Choices[0].Content != "three" {
		t.Errorf("error %v, response %v", err, resp)
	}
	_, _, err = provider.GenerateJSON[line](t.Context(), llm, human("x"))
	wantError(t, err, llms.ErrCodeTokenLimit, "WithMaxTokens")
	_, resp, err = provider.GenerateJSON[line](t.Context(), llm, human("x"))
	if wantError(t, err, llms.ErrCodeProviderUnavailable); resp != nil {
		t.Errorf("response %v beside the error, want none", resp)
	}
}

type embedded struct {
	Shadowed int
	Deep     string `json:"deep"`
	Both     string
}

type embeddedToo struct{ Both string }

type taggedToo struct {
	Other string `json:"Tagged"`
}

type untagged struct{ Tagged int }

type selfish struct {
	*selfish //nolint:unused // it embeds itself
	Name     string
}

type shadowing struct {
	embedded
	embeddedToo
	taggedToo
	untagged
	*selfish
	Shadowed string
	Count    int      `json:",string"`
	Ratio    *float64 `json:"ratio,string,omitempty"`
	List     []int    `json:"list,string"` //nolint:staticcheck // encoding/json passes over the option here
}

// The properties of a schema are those that encoding/json writes, each once.
func TestSchemaHasTheFieldsOfEncodingJSON(t *testing.T) {
	var schema struct {
		Properties map[string]struct{ Type string }
		Required   []string
	}
	raw, err := provider.SchemaOf[shadowing]()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal([]byte(jsonOf(t, shadowing{selfish: &selfish{}, Ratio: new(1.5)})), &want); err != nil {
		t.Fatal(err)
	}
	for name, property := range schema.Properties {
		value, ok := want[name]
		if _, isText := value.(string); !ok || isText != (property.Type == "string") {
			t.Errorf("property %s is of type %s, encoding/json writes %v", name, property.Type, value)
		}
		if strings.Count(string(raw), `"`+name+`":`) != 1 {
			t.Errorf("property %s stands twice in %s", name, raw)
		}
	}
	if len(schema.Properties) != len(want) || len(schema.Required) != len(want)-1 {
		t.Errorf("got %v of which %q are required, want %v without ratio", schema.Properties, schema.Required, want)
	}
}

func TestSchemaErrorsAreOfLangchaingo(t *testing.T) {
	_, err := provider.SchemaOf[map[int]chan int]()
	wantError(t, err, llms.ErrCodeInvalidRequest, "map[int]chan int", "keys")
}

// other is a model that knows nothing of this package.
type other struct{ llms.Model }

func (other) GenerateContent(
	context.Context, []llms.MessageContent, ...llms.CallOption,
) (*llms.ContentResponse, error) {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "It is three."}}}, nil
}

func TestGenerateJSONOnAnotherModel(t *testing.T) {
	_, resp, err := provider.GenerateJSON[line](t.Context(), other{}, human("x"))
	wantError(t, err, llms.ErrCodeProviderUnavailable, "provider_test.other", "does not know WithJSONType")
	if resp == nil {
		t.Error("the answer is lost")
	}
}
