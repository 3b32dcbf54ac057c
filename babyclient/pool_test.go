package babyclient_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// The client's own transport keeps the connections of many callers. That of net/http keeps two, so
// that almost every call of many callers makes a new one.
func TestConnectionsOfManyCallersAreKept(t *testing.T) {
	const callers, rounds = 64, 3
	srv := server(t)
	var mu sync.Mutex
	arrived, all := 0, make(chan struct{})
	srv.On("POST /infer", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		arrived++
		wait := all
		if arrived == callers { // so many connections are in use at once, and no more
			arrived, all = 0, make(chan struct{})
			close(wait)
		}
		mu.Unlock()
		<-wait
		babytest.JSON(200, `{"output":"hello"}`).ServeHTTP(w, r)
	}))
	c, err := babyclient.New(babyclient.WithBaseURL(srv.URL), babyclient.WithAPIKey(babytest.Key),
		babyclient.WithDefaultModel("tiny"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	for range rounds {
		var group sync.WaitGroup
		for range callers {
			group.Go(func() {
				if _, err := c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	if n := srv.Connections(); n > callers {
		t.Errorf("%d callers made %d connections in %d rounds", callers, n, rounds)
	}
}
