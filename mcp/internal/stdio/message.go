package stdio

import (
	"encoding/json"
	"strconv"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
)

// incoming is a message of the client: a request, a notification, or the answer to a request of
// ours.
type incoming struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
}

// outgoing is a message to the client.
type outgoing struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  map[string]any  `json:"params,omitempty"`
	Result  any             `json:"result,omitempty"`
	Error   any             `json:"error,omitempty"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// encode writes a message as one line.
func (o *outgoing) encode() ([]byte, error) {
	o.Version = mcpgo.JSONRPC_VERSION
	b, err := json.Marshal(o)
	return append(b, '\n'), err
}

// null is the id in the answer to a message whose own id cannot be read.
var null = json.RawMessage("null")

func isNumber(raw json.RawMessage) bool {
	_, err := strconv.ParseFloat(string(raw), 64)
	return err == nil
}
