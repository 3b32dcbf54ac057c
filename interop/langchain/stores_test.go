package langchain_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"
	"github.com/tmc/langchaingo/vectorstores/pgvector"
	"github.com/tmc/langchaingo/vectorstores/qdrant"

	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

// letters embeds a text as how often each letter is in it, so that texts with common words are
// near.
func letters() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req struct{ Input []string }
		_ = json.NewDecoder(r.Body).Decode(&req)
		var data []any
		for i, text := range req.Input {
			vector, norm := make([]float64, 26), 0.0
			for _, c := range strings.ToLower(text) {
				if c >= 'a' && c <= 'z' {
					vector[c-'a']++
				}
			}
			for _, v := range vector {
				norm += v * v
			}
			for j := range vector {
				vector[j] /= math.Sqrt(norm)
			}
			data = append(data, map[string]any{"index": i, "embedding": vector})
		}
		slices.Reverse(data) // the order is the index's
		babytest.JSON(200, map[string]any{"data": data}).ServeHTTP(w, r)
	})
}

// prefers ranks the documents that hold word first.
func prefers(word string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req struct{ Documents []string }
		_ = json.NewDecoder(r.Body).Decode(&req)
		var results []any
		for i, d := range req.Documents {
			score := 0.1
			if strings.Contains(d, word) {
				score = 0.9
			}
			results = append(results, map[string]any{"index": i, "relevance_score": score})
		}
		babytest.JSON(200, map[string]any{"results": results}).ServeHTTP(w, r)
	})
}

var fruit = []schema.Document{
	{PageContent: "apple banana", Metadata: map[string]any{"page": 1, "source": "a.pdf",
		"headings": []string{"Fruit"}}},
	{PageContent: "banana cherry", Metadata: map[string]any{"page": 2, "source": "a.pdf"}},
	{PageContent: "zzz", Metadata: map[string]any{"page": 3, "source": "b.pdf"}},
}

// roundTrip adds, searches with threshold and filter, and reranks.
func roundTrip(t *testing.T, newStore func(embeddings.Embedder) vectorstores.VectorStore, filter any) {
	t.Helper()
	srv := newServer(t)
	srv.On(embedPath, letters())
	srv.On("POST /v1/rerank", prefers("cherry"))
	srv.On(chatPath, says("cherries"))
	client := srv.Client()
	embedder, err := provider.NewEmbedder(client, "e", provider.WithBatchSize(1))
	if err != nil {
		t.Fatal(err)
	}
	store := newStore(embedder)
	if ids, err := store.AddDocuments(t.Context(), fruit); err != nil || len(ids) != len(fruit) {
		t.Fatalf("added %v, %v", ids, err)
	}
	search := func(query string, n int, options ...vectorstores.Option) string {
		t.Helper()
		docs, err := store.SimilaritySearch(t.Context(), query, n, options...)
		if err != nil {
			t.Fatal(err)
		}
		return found(docs)
	}
	if got := search("apple banana", 2); got != "apple banana|banana cherry" {
		t.Errorf("found %s", got)
	}
	if got := search("apple banana", 3, vectorstores.WithScoreThreshold(0.9)); got != "apple banana" {
		t.Errorf("over the threshold: %s", got)
	}
	if got := search("apple banana", 3, vectorstores.WithFilters(filter)); got != "zzz" {
		t.Errorf("with the filter: %s", got)
	}
	reranker, err := provider.NewReranker(client, "r")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := reranker.Store(store).SimilaritySearch(t.Context(), "apple banana", 1)
	if err != nil || found(docs) != "banana cherry" || docs[0].Score != 0.9 || docs[0].Metadata["page"] != 2.0 ||
		docs[0].Metadata["similarity_score"] == nil {
		t.Errorf("reranked %+v, %v", docs, err)
	}
	qa := chains.NewRetrievalQAFromLLM(newLLM(t, srv), reranker.Retriever(vectorstores.ToRetriever(store, 3), 1))
	if got, err := chains.Run(t.Context(), qa, "apple banana"); err != nil || got != "cherries" {
		t.Errorf("the chain answered %q, %v, want cherries", got, err)
	}
	if b := jsonOf(t, body(t, srv, -1)); !strings.Contains(b, "banana cherry") || strings.Contains(b, "zzz") {
		t.Errorf("the best document alone is not in %s", b)
	}
}

func found(docs []schema.Document) string {
	var out []string
	for _, d := range docs {
		out = append(out, d.PageContent)
	}
	return strings.Join(out, "|")
}

// qdrantServer is as much of qdrant's REST API as the store uses, with exact search.
func qdrantServer(t *testing.T) *url.URL {
	t.Helper()
	type point struct {
		vector  []float64
		payload map[string]any
	}
	var mu sync.Mutex
	var points []point
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /collections/fruit/points", func(w http.ResponseWriter, r *http.Request) {
		var req struct {
			Batch struct {
				Vectors  [][]float64      `json:"vectors"`
				Payloads []map[string]any `json:"payloads"`
			} `json:"batch"`
		}
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for i, v := range req.Batch.Vectors {
			points = append(points, point{v, req.Batch.Payloads[i]})
		}
		fmt.Fprint(w, `{"status":"ok"}`)
	})
	mux.HandleFunc("POST /collections/fruit/points/search", func(w http.ResponseWriter, r *http.Request) {
		var req struct {
			Vector         []float64 `json:"vector"`
			Limit          int       `json:"limit"`
			ScoreThreshold float64   `json:"score_threshold"`
			Filter         *struct {
				Must []struct {
					Key   string
					Match struct{ Value any }
				}
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		type hit struct {
			Score   float64        `json:"score"`
			Payload map[string]any `json:"payload"`
		}
		hits := []hit{}
		mu.Lock()
		defer mu.Unlock()
		for _, p := range points {
			score := 0.0
			for i, v := range p.vector {
				score += v * req.Vector[i]
			}
			if score < req.ScoreThreshold || req.Filter != nil &&
				p.payload[req.Filter.Must[0].Key] != req.Filter.Must[0].Match.Value {
				continue
			}
			hits = append(hits, hit{score, p.payload})
		}
		slices.SortFunc(hits, func(a, b hit) int { return cmp.Compare(b.Score, a.Score) })
		_ = json.NewEncoder(w).Encode(map[string]any{"result": hits[:min(len(hits), req.Limit)]})
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func newQdrant(t *testing.T, u *url.URL, e embeddings.Embedder) vectorstores.VectorStore {
	t.Helper()
	store, err := qdrant.New(qdrant.WithURL(*u), qdrant.WithCollectionName("fruit"), qdrant.WithEmbedder(e))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func testQdrant(t *testing.T) {
	u := qdrantServer(t)
	roundTrip(t, func(e embeddings.Embedder) vectorstores.VectorStore { return newQdrant(t, u, e) },
		map[string]any{"must": []any{map[string]any{"key": "source", "match": map[string]any{"value": "b.pdf"}}}})
}

func testPgvector(t *testing.T) {
	u := postgres(t)
	roundTrip(t, func(e embeddings.Embedder) vectorstores.VectorStore {
		store, err := pgvector.New(t.Context(), pgvector.WithConnectionURL(u), pgvector.WithEmbedder(e),
			pgvector.WithPreDeleteCollection(true))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return store
	}, map[string]any{"source": "b.pdf"})
}

// postgres is the URL of a PostgreSQL with pgvector: that of PGVECTOR_URL, or one that is started
// for the test from a package.
func postgres(t *testing.T) string {
	t.Helper()
	if u := os.Getenv("PGVECTOR_URL"); u != "" {
		return u
	}
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs PostgreSQL with pgvector: set PGVECTOR_URL, " +
			"or on Linux BABYAPI_TEST_ENGINES=1 to start one from a package")
	}
	return startPostgres(t)
}
