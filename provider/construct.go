package provider

import "time"

// DefaultTimeout is how long one inference call may take. It is longer than babyclient's own: an
// agent waits for long answers, and an answer that nobody waits for is billed all the same.
const DefaultTimeout = 10 * time.Minute

// configure applies the options, of which nil ones are left out, to the defaults of a constructor.
func configure[C any, O ~func(*C)](defaults C, opts []O) C {
	for _, option := range opts {
		if option != nil {
			option(&defaults)
		}
	}
	return defaults
}

func errNilClient() error {
	return invalid("the client is nil: make it with babyclient.New, or take that of an LLM")
}
