package local

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// nodeHeader names the docling node that owns a task. Whoever asks for a task
// sends it back, or round robin leads to a node that does not know the task.
const nodeHeader = "X-Babyapi-Docling-Id"

// docling spreads requests over one or more docling-serve.
type docling struct {
	nodes         []*doclingNode
	next          atomic.Uint64
	gatewayHasKey bool
}

type doclingNode struct {
	*backend // its name is the node's id

	cancelled cancelledTasks
}

func (d *docling) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	node := d.choose(r.Header.Get(nodeHeader))
	if node == nil {
		doclingError(w, http.StatusNotFound, fmt.Sprintf("There is no docling node %q here.", r.Header.Get(nodeHeader)))
		return
	}
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/docling")
	what, task, _ := strings.Cut(strings.TrimPrefix(path, "/v1/"), "/")
	switch what {
	case "cancel":
		d.cancel(w, r, node, task)
		return
	case "status", "result":
		if task = strings.TrimPrefix(task, "poll/"); node.cancelled.has(task) {
			answerCancelled(w, what, task)
			return
		}
	}
	// docling-serve has its key in another header
	if key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && r.Header.Get("X-Api-Key") == "" {
		r.Header.Set("X-Api-Key", key)
	}
	node.forward(w, r, path, d.gatewayHasKey, func(resp *http.Response) {
		if strings.HasSuffix(path, "/async") {
			resp.Header.Set(nodeHeader, node.name)
		}
	})
}

// choose returns the node with this id, or for none the next one that is up.
func (d *docling) choose(id string) *doclingNode {
	if id != "" {
		for _, n := range d.nodes {
			if n.name == id {
				return n
			}
		}
		return nil
	}
	start := d.next.Add(1) - 1
	for i := range uint64(len(d.nodes)) {
		if n := d.nodes[(start+i)%uint64(len(d.nodes))]; n.target.Load() != nil {
			return n
		}
	}
	return d.nodes[start%uint64(len(d.nodes))] // which will say that it is not up
}

// cancel marks a task of the node as cancelled. docling-serve has no cancel:
// what is under way runs on, but nobody is given its result.
func (d *docling) cancel(w http.ResponseWriter, r *http.Request, node *doclingNode, task string) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		doclingError(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	var status map[string]any
	err := node.call(r.Context(), http.MethodGet, "/v1/status/poll/"+task, r.Header, d.gatewayHasKey, nil, &status)
	if err != nil {
		if _, ok := errors.AsType[*upstreamError](err); !ok || !node.cancelled.has(task) {
			node.failCall(r.Context(), w, err)
			return
		}
	}
	node.cancelled.add(task)
	writeJSON(w, http.StatusOK, map[string]string{"task_id": task, "task_status": "cancelled"})
}

func answerCancelled(w http.ResponseWriter, what, task string) {
	if what == "result" {
		doclingError(w, http.StatusNotFound, "Task "+task+" was cancelled and has no result.")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"task_id": task, "task_status": "cancelled", "task_position": nil,
		"task_meta": nil, "error_message": nil, "failure": nil})
}

// cancelledTasks are the latest tasks of a node that were cancelled. Older ones
// are forgotten, so that it cannot grow without end.
type cancelledTasks struct {
	mu    sync.Mutex
	ids   map[string]bool
	order []string
}

const maxCancelled = 10_000

func (c *cancelledTasks) has(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ids[id]
}

func (c *cancelledTasks) add(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ids[id] {
		return
	}
	if c.ids == nil {
		c.ids = map[string]bool{}
	}
	if len(c.order) == maxCancelled {
		delete(c.ids, c.order[0])
		c.order = c.order[1:]
	}
	c.ids[id] = true
	c.order = append(c.order, id)
}
