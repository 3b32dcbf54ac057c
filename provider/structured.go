package provider

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// WithJSONSchema makes the answer JSON that follows schema: a map, a json.RawMessage, langchaingo's
// jsonschema.Definition, or anything else that marshals to a JSON schema. The name tells the model
// what the answer is, such as "invoice".
func WithJSONSchema(name string, schema any) llms.CallOption {
	raw, err := schemaJSON(schema)
	if err == nil && raw == nil {
		err = errors.New("it is null")
	}
	return jsonFormat(name, raw, err)
}

// WithJSONType makes the answer JSON that decodes into a T, whose schema is made of its fields as
// encoding/json names them. Fields without omitempty or omitzero are required. Tags describe a
// field to the model:
//
//	Unit string `json:"unit" jsonschema_description:"of the temperature" jsonschema:"enum=C,enum=F"`
//
// and jsonschema also takes minimum, maximum, minLength, maxLength, minItems, maxItems and pattern.
// [GenerateJSON] decodes the answer too.
//
// A field with the option string in its json tag is a string, as encoding/json writes it. Of fields
// with one name, from embedded structs, the one that encoding/json takes is in the schema.
func WithJSONType[T any]() llms.CallOption {
	raw, err := SchemaOf[T]()
	return jsonFormat(reflect.TypeFor[T]().Name(), raw, err)
}

// SchemaOf is the JSON schema of a T as [WithJSONType] makes it. It can be the Parameters of a tool
// whose arguments decode into a T.
//
// A type that encoding/json cannot write is an [*llms.Error] of llms.ErrCodeInvalidRequest.
func SchemaOf[T any]() (json.RawMessage, error) {
	schema, err := schemaOf(reflect.TypeFor[T]())
	if err == nil {
		var raw json.RawMessage
		if raw, err = json.Marshal(schema); err == nil {
			return raw, nil
		}
	}
	return nil, invalid("the JSON schema of %s: %v", reflect.TypeFor[T](), err).WithCause(err)
}

func jsonFormat(name string, raw json.RawMessage, err error) llms.CallOption {
	name = cmp.Or(schemaName(name), "answer")
	return ownOption(func(own *ownOptions) {
		if err != nil {
			own.err = invalid("the JSON schema of the answer cannot be used: %v", err).WithCause(err)
			return
		}
		own.format = babyclient.JSONSchema(name, raw)
	})
}

// GenerateJSON asks for an answer of type T, as [WithJSONType] does, and decodes it. An answer that
// does not decode is an error with the text in its Details, and the response is returned with it.
func GenerateJSON[T any](
	ctx context.Context, model llms.Model, messages []llms.MessageContent, options ...llms.CallOption,
) (T, *llms.ContentResponse, error) {
	var out T
	resp, err := model.GenerateContent(ctx, messages, append(slices.Clip(options), WithJSONType[T]())...)
	if err != nil {
		return out, nil, err
	}
	if len(resp.Choices) == 0 {
		return out, resp, newError(llms.ErrCodeProviderUnavailable, "the answer has no choices")
	}
	c := resp.Choices[0]
	if err := json.Unmarshal([]byte(c.Content), &out); err != nil {
		failure := newError(llms.ErrCodeProviderUnavailable,
			fmt.Sprintf("the answer is not the JSON that was asked for: %v%s", err, hintOnModel(model)))
		if c.StopReason == babyclient.FinishLength {
			failure = newError(llms.ErrCodeTokenLimit,
				"the JSON of the answer was cut at the token limit: allow more with llms.WithMaxTokens")
		}
		return out, resp, failure.WithCause(err).WithDetail("content", c.Content)
	}
	return out, resp, nil
}

// hintOnModel says why a model may not have been asked for JSON: the schema is an option that only
// the models of this package know.
func hintOnModel(model llms.Model) string {
	if _, ours := model.(*LLM); ours {
		return ""
	}
	return fmt.Sprintf(". The model is a %T: unless it calls one of this package's models, it does not know "+
		"WithJSONType and was asked for no JSON: make it with provider.New", model)
}
