package local

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// The ports of the engines are for this gateway alone: without the key of this run docling-serve
// answers nothing, at no path and by no method, and nothing that a page of another site could read.
// No variable of the user's and no key is in the environment or the command line of an engine.
func TestEnginesAreForTheGatewayAlone(t *testing.T) {
	const secret = "of-the-user-alone"
	for _, name := range []string{"BABYAPI_API_KEY", "OPENAI_API_KEY", "DOCLING_SERVE_API_KEY", "docling_serve_api_key",
		"PYTHONHASHSEED_OF_MINE"} {
		t.Setenv(name, secret)
	}
	t.Setenv("PYTHONHASHSEED", "x") // with which no Python starts
	s := realStack(t, Config{ChatModel: filepath.Join("testdata", "models", "tiny-chat.gguf"),
		EmbedModel: filepath.Join("testdata", "models", "tiny-embed.gguf"), APIKey: secret})
	engines := s.plan.engines
	if len(engines) != 3 {
		t.Fatalf("%d engines, want chat, embed and docling", len(engines))
	}
	for _, e := range engines {
		url := e.target.Load().url.String()
		if e.kind != "docling" {
			// llama.cpp has open paths: whether it is up, and the name of its model.
			if resp, body := send(t, http.MethodPost, url+"/v1/completions", `{"prompt":"x"}`); resp.StatusCode != 401 {
				t.Errorf("%s without its key: %d %s, want 401", e.name, resp.StatusCode, body)
			}
			continue
		}
		for _, path := range []string{"/", "/version", "/metrics", "/openapi.json", "/docs", "/swagger", "/redoc",
			"/scalar", "/ui", "/health", "/ready", "/readyz", "/livez", "/api", "/favicon.ico", "/v1/capabilities",
			"/v1/memory/counts", "/v1/clear/results", "/v1/convert/source",
			"/v1/status/ws/x?api_key=" + secret, "/nothing"} {
			for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS"} {
				for _, key := range []string{"", secret} {
					resp, body := send(t, method, url+path, "", "Origin", "https://evil.example", "X-Api-Key", key,
						"Access-Control-Request-Method", "POST")
					allowed := resp.Header.Get("Access-Control-Allow-Origin")
					if resp.StatusCode != http.StatusUnauthorized || allowed != "" {
						t.Errorf("%s %s of docling-serve's own port: %d %.80s, origin %q, want 401 for none", method, path,
							resp.StatusCode, body, allowed)
					}
				}
			}
		}
		resp, body := send(t, "GET", url+"/v1/status/ws/x", "", "Connection", "Upgrade", "Upgrade", "websocket",
			"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
		if resp.StatusCode < 400 {
			t.Errorf("a websocket at docling-serve's own port: %d %s, want a refusal", resp.StatusCode, body)
		}
		for _, path := range []string{"/version", "/v1/capabilities"} {
			resp, body := send(t, "GET", s.BaseURL()+"/docling"+path, "", "Authorization", "Bearer "+secret)
			if resp.StatusCode != http.StatusOK {
				t.Errorf("%s through the gateway: %d %s, want 200", path, resp.StatusCode, body)
			}
		}
	}
	if runtime.GOOS != "linux" {
		return // the rest is read from /proc
	}
	for _, program := range []string{"llama.py\x00chat", "llama.py\x00embed", "serve_light.py"} {
		dir := filepath.Join("/proc", strconv.Itoa(childWith(t, program)))
		for _, name := range []string{"environ", "cmdline"} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), secret) || strings.Contains(string(text), "PYTHONHASHSEED") {
				t.Errorf("%s of %q holds what is the user's alone: %q", name, program, text)
			}
		}
	}
}
