package local

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// nodeHeader names the docling node that owns a task. A client sends it back when it asks for the
// task, because another node would not know the task.
const nodeHeader = "X-Babyapi-Docling-Id"

// docling spreads requests over one or more docling-serve.
type docling struct {
	nodes []*doclingNode
	next  atomic.Uint64
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
	action, task, _ := strings.Cut(strings.TrimPrefix(path, "/v1/"), "/")
	switch action {
	case "cancel":
		node.cancel(w, r, task)
		return
	case "status", "result":
		if task = strings.TrimPrefix(task, "poll/"); node.cancelled.has(task) {
			answerCancelled(w, action, task)
			return
		}
	}
	// docling-serve reads its key from another header than the other engines.
	if key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && r.Header.Get("X-Api-Key") == "" {
		r.Header.Set("X-Api-Key", key)
	}
	node.forward(w, r, path, func(resp *http.Response) {
		// The answer names a job, which only this node knows.
		if strings.HasSuffix(path, "/async") || strings.HasSuffix(path, "/batch") {
			resp.Header.Set(nodeHeader, node.name)
		}
	})
}

// choose returns the node with this id, or without an id the next node that is up.
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
	return d.nodes[start%uint64(len(d.nodes))] // none is up, and this one will answer so
}

// cancel marks a task of the node as cancelled. docling-serve has no cancel: a task that is under
// way runs on, but nobody is given its result.
func (n *doclingNode) cancel(w http.ResponseWriter, r *http.Request, task string) {
	if methodNotAllowed(w, r) {
		return
	}
	var status map[string]any
	if err := n.call(r.Context(), "/v1/status/poll/"+task, r.Header, nil, &status); err != nil {
		if _, ok := errors.AsType[*upstreamError](err); !ok || !n.cancelled.has(task) {
			n.failCall(r.Context(), w, err)
			return
		}
	}
	n.cancelled.add(task)
	writeJSON(w, http.StatusOK, map[string]string{"task_id": task, "task_status": "cancelled"})
}

func answerCancelled(w http.ResponseWriter, action, task string) {
	if action == "result" {
		doclingError(w, http.StatusNotFound, "Task "+task+" was cancelled and has no result.")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"task_id": task, "task_status": "cancelled", "task_position": nil,
		"task_meta": nil, "error_message": nil, "failure": nil})
}

// cancelledTasks are the latest tasks of a node that were cancelled. Older ones are forgotten, so
// that the list cannot grow without end.
type cancelledTasks struct {
	mu    sync.Mutex
	ids   map[string]bool
	order []string // of ids, the oldest first
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
