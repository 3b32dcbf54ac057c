package local

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// newNode is a docling-serve that knows one task, named after it.
func newNode(t *testing.T, name string) *upstream {
	t.Helper()
	return newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/v1/convert/file/async":
			answer(http.StatusOK, `{"task_id":"task-of-`+name+`","task_status":"pending"}`)(w, r)
		case strings.HasSuffix(r.URL.Path, "/task-of-"+name):
			answer(http.StatusOK, `{"task_status":"started"}`)(w, r)
		case strings.HasPrefix(r.URL.Path, "/v1/status/"), strings.HasPrefix(r.URL.Path, "/v1/result/"):
			answer(http.StatusNotFound, `{"detail":"Task not found."}`)(w, r)
		default:
			answer(http.StatusOK, `{"node":"`+name+`"}`)(w, r)
		}
	})
}

func newCluster(t *testing.T) (*httptest.Server, *gateway) {
	t.Helper()
	var keep *gateway
	a, b := newNode(t, "a"), newNode(t, "b")
	s := newGateway(t, a, func(g *gateway) {
		g.docling.nodes = []*doclingNode{{backend: a.backend(t, "docling-0")}, {backend: b.backend(t, "docling-1")}}
		keep = g
	})
	return s, keep
}

func TestDoclingRoundRobin(t *testing.T) {
	s, g := newCluster(t)
	var got []string
	for range 3 {
		resp, body := send(t, http.MethodGet, s.URL+"/docling/version", "")
		got = append(got, strings.TrimSpace(body))
		if id := resp.Header.Get("x-babyapi-docling-id"); id != "" {
			t.Errorf("an answer that is no submit names the node %q, want none", id)
		}
	}
	if fmt.Sprint(got) != `[{"node":"a"} {"node":"b"} {"node":"a"}]` {
		t.Errorf("nodes that answered %v, want a, b, a", got)
	}
	g.docling.nodes[1].target.Store(nil) // a node that is down is left out
	for range 3 {
		if _, body := send(t, http.MethodGet, s.URL+"/docling/version", ""); body != `{"node":"a"}` {
			t.Errorf("answer with the second node down: %s, want node a", body)
		}
	}
}

func TestDoclingTaskStaysAtItsNode(t *testing.T) {
	s, _ := newCluster(t)
	for _, want := range []string{"docling-0", "docling-1"} {
		resp, _ := send(t, http.MethodPost, s.URL+"/docling/v1/convert/file/async", "x")
		if id := resp.Header.Get("x-babyapi-docling-id"); id != want {
			t.Errorf("submitted to %q, want %s", id, want)
		}
	}
	for range 2 { // the same node each time
		if resp, body := send(t, http.MethodGet, s.URL+"/docling/v1/status/poll/task-of-b", "", "x-babyapi-docling-id",
			"docling-1"); resp.StatusCode != http.StatusOK {
			t.Errorf("pinned: %d %s", resp.StatusCode, body)
		}
	}
	var statuses []int
	for range 2 { // in turn: the wrong node, then the right one
		resp, _ := send(t, http.MethodGet, s.URL+"/docling/v1/status/poll/task-of-b", "")
		statuses = append(statuses, resp.StatusCode)
	}
	if fmt.Sprint(statuses) != "[404 200]" {
		t.Errorf("without the header: %v", statuses)
	}
}

func TestDoclingCancelHidesTheTask(t *testing.T) {
	s, _ := newCluster(t)
	pin := []string{"x-babyapi-docling-id", "docling-1"}
	const cancelled = `"task_id":"task-of-b","task_status":"cancelled"`
	steps := []struct {
		method, path string
		headers      []string
		status       int
		want         string
	}{
		{"POST", "cancel/task-of-a", pin, 404, "Task not found."}, // of the other node
		{"GET", "cancel/task-of-b", pin, 405, "Method Not Allowed"},
		{"GET", "status/poll/task-of-b", pin, 200, "started"},
		{"POST", "cancel/task-of-b", pin, 200, "{" + cancelled + "}"},
		{"POST", "cancel/task-of-b", pin, 200, cancelled}, // again
		{"GET", "status/poll/task-of-b", pin, 200, `"task_status":"cancelled"`},
		{"GET", "result/task-of-b", pin, 404, "was cancelled and has no result"},
		{"GET", "status/poll/task-of-a", []string{"x-babyapi-docling-id", "docling-0"}, 200, "started"},
	}
	for _, step := range steps {
		resp, body := send(t, step.method, s.URL+"/docling/v1/"+step.path, "{}", step.headers...)
		if resp.StatusCode != step.status || !strings.Contains(body, step.want) {
			t.Errorf("%s %s: %d %s, want %d with %s", step.method, step.path, resp.StatusCode, body, step.status,
				step.want)
		}
	}
}

func TestCancelledTasksAreBounded(t *testing.T) {
	var c cancelledTasks
	for i := range maxCancelled + 1 {
		c.add(fmt.Sprint(i))
	}
	if c.has("0") || !c.has("1") || !c.has(fmt.Sprint(maxCancelled)) || len(c.ids) != maxCancelled {
		t.Errorf("%d kept, the first: %v", len(c.ids), c.has("0"))
	}
}
