package mcp

import (
	"errors"
	"fmt"
)

// refusal is an error whose text is written for the model already.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

func isRefusal(err error) bool {
	_, ok := errors.AsType[refusal](err)
	return ok
}
