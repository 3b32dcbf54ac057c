package babyclient

import (
	"math"
	"net/url"
	"strings"
)

// The checks of request fields. Each returns nil for a good value, else an error that names the
// field and its value.

func checkFinite(name string, v *float64) error {
	if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
		return invalid(CodeInvalidRequest, "%s is %v: want a finite number", name, *v)
	}
	return nil
}

func checkCount(name string, v *int) error {
	if v != nil && *v < 0 {
		return invalid(CodeInvalidRequest, "%s is %d: want 0 or more", name, *v)
	}
	return nil
}

func checkNotBlank(code, name, v string) error {
	if strings.TrimSpace(v) == "" {
		return invalid(code, "%s is empty", name)
	}
	return nil
}

// firstError is the first of errs that is not nil.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func isHTTPURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
