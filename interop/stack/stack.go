// Package stack gives the tests of this module the local stack: the BabyAPI
// wire on 127.0.0.1, on real engines.
package stack

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"testing"

	"github.com/babyapi-org/babyapi-go/internal/local"
)

var (
	mu      sync.Mutex
	running *local.Stack
	failure error
)

// URL is the base URL of the stack that the tests of this process share; any
// API key will do. The first call starts it, unless BABYAPI_BASE_URL names one
// that runs on this machine. Without BABYAPI_TEST_ENGINES=1 the test skips.
func URL(t testing.TB) string {
	t.Helper()
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs the real engines: set BABYAPI_TEST_ENGINES=1 or run make test (the first time it installs them)")
	}
	if base := os.Getenv("BABYAPI_BASE_URL"); isLocal(base) {
		return base
	}
	mu.Lock()
	defer mu.Unlock()
	if running == nil && failure == nil {
		// the stack outlives this context, which is only for the start
		running, failure = local.Start(t.Context(), local.Config{
			Addr: "127.0.0.1:0", Python: os.Getenv("BABYAPI_LOCAL_PYTHON"), Messages: os.Stderr,
			AllowLocalSources: true}) // tests convert pages that they serve themselves
	}
	if failure != nil {
		t.Fatalf("starting the local stack: %v", failure)
	}
	return running.BaseURL()
}

// Main runs the tests and then ends the stack, if one of them started it:
//
//	func TestMain(m *testing.M) { stack.Main(m) }
func Main(m *testing.M) {
	code := m.Run()
	if running != nil {
		if err := running.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "ending the local stack:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// isLocal keeps the tests from a service that somebody pays for.
func isLocal(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}
