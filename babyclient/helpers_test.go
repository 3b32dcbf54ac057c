package babyclient_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// clearEnv keeps the developer's own settings out of the tests.
func clearEnv(t *testing.T) {
	t.Helper()
	for _, name := range []string{"BABYAPI_API_KEY", "BABY_API_KEY", "BABYAPI_BASE_URL", "BABYAPI_DEFAULT_MODEL"} {
		t.Setenv(name, "")
	}
}

// server is a scripted server that ends with the test.
func server(t testing.TB) *babytest.Server {
	t.Helper()
	srv := babytest.NewServer()
	t.Cleanup(srv.Close)
	return srv
}

// client is a client of srv that knows a default model.
func client(srv *babytest.Server, opts ...babyclient.Option) *babyclient.Client {
	return srv.Client(
		append([]babyclient.Option{babyclient.WithDefaultModel("tiny"), babyclient.WithRetryBaseDelay(0)}, opts...)...)
}

// fails returns the *Error of err, which must be one.
func fails(t testing.TB, err error) *babyclient.Error {
	t.Helper()
	e, ok := errors.AsType[*babyclient.Error](err)
	if !ok {
		t.Fatalf("err = %v (%T), want an *Error", err, err)
	}
	return e
}

// golden compares got with a file in testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run go test -update and read its diff. Got:\n%s", path, got)
	}
}
