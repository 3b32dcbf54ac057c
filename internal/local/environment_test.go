package local

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Variables of the user's, by who may get them. Every other child must not.
var usersVariables = map[string]string{
	"BABYAPI_API_KEY": "", "BABYAPI_LOCAL_API_KEY": "", "OPENAI_API_KEY": "", "HF_TOKEN": "",
	"AWS_SECRET_ACCESS_KEY": "", "GITHUB_TOKEN": "", "SSH_AUTH_SOCK": "", "LD_PRELOAD_OF_MINE": "",
	"PYTHONPATH": "", "PYTHONHOME": "", "PYTHONSTARTUP": "", "PYTHONHASHSEED": "", "PYTHONUSERBASE": "",
	"PYTHONINSPECT": "", "PYTHONBREAKPOINT": "", "PYTHON_GIL": "", "pythonwarnings": "",
	"VIRTUAL_ENV": "", "CONDA_PREFIX": "", "PIP_TARGET": "", "PIP_CONSTRAINT": "", "UV_OVERRIDE": "", "UV_TARGET": "",
	"DOCLING_SERVE_API_KEY": "", "docling_serve_api_key": "", "Docling_Serve_Eng_Kind": "",
	"DOCLINGCORE_ALLOWED_PRIVATE_IPS": "", "UVICORN_HOST": "", "FORWARDED_ALLOW_IPS": "",

	"HTTPS_PROXY": "all", "http_proxy": "all", "SSL_CERT_FILE": "all", "REQUESTS_CA_BUNDLE": "all", "LC_CTYPE": "all",
	"CUDA_VISIBLE_DEVICES": "engines", "OMP_WAIT_POLICY": "engines", "OPENBLAS_NUM_THREADS": "engines",
	"DOCLING_SERVE_MAX_NUM_PAGES": "docling",
	"PIP_INDEX_URL":               "installer", "PIP_FIND_LINKS": "installer", "UV_DEFAULT_INDEX": "installer",
	"UV_INDEX_OURS_PASSWORD": "installer", "PIP_CONFIG_FILE": "installer",
}

// No child gets a variable of the user's that is not for it: neither an engine of any kind, nor a
// step of the installation, nor a Python that is only looked at.
func TestChildrenGetListedVariables(t *testing.T) {
	const mark = "of-the-user"
	for name := range usersVariables {
		t.Setenv(name, mark)
	}
	dir := t.TempDir()
	environments := map[string][]string{}
	for _, kind := range []string{"chat", "embed", "rerank", "docling"} {
		b := &backend{name: kind, names: []string{"m"}}
		e := &plannedEngine{engine: &engine{backend: b}, kind: kind, model: "x.gguf"}
		if err := e.prepare(&installation{ocr: dir}, dir, &Config{APIKey: mark}); err != nil {
			t.Fatal(err)
		}
		environments[kind] = e.env
		if strings.Contains(strings.Join(e.command, " "), mark) {
			t.Errorf("the command of %s holds the gateway's key: %q", kind, e.command)
		}
	}
	python, printed := filepath.Join(dir, "python"), filepath.Join(dir, "printed")
	script(t, python, "env > "+printed)
	read := func() []string {
		text, err := os.ReadFile(printed)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(text), "\n")
	}
	_, _ = probePython(t.Context(), []string{python}) // what it answers does not matter
	environments["probe"] = read()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	i := &installer{cache: dir, messages: io.Discard, progress: &progress{}, log: log}
	if err := i.command(t.Context(), &installation{}, dir, python, python); err != nil {
		t.Fatal(err)
	}
	environments["installer"] = read()

	isFor := map[string]string{"chat": "engines", "embed": "engines", "rerank": "engines", "docling": "engines"}
	for child, env := range environments {
		for name, who := range usersVariables {
			want := who == "all" || who == child || who != "" && who == isFor[child]
			got := false
			for _, variable := range env {
				got = got || variable == name+"="+mark
			}
			if got != want {
				t.Errorf("%s gets %s: %t, want %t", child, name, got, want)
			}
		}
		for _, name := range []string{"PATH", "HOME"} {
			if os.Getenv(name) != "" && !strings.Contains("\n"+strings.Join(env, "\n"), "\n"+name+"=") {
				t.Errorf("%s does not get %s", child, name)
			}
		}
	}
}

// Every program that this package starts gets an environment that childEnvironment has made.
func TestEveryChildHasAnEnvironment(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	started := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		starts := strings.Count(string(text), "exec.Command")
		started += starts
		set := strings.Count(string(text), "cmd.Env = childEnvironment(") +
			strings.Count(string(text), "cmd.Env = e.env")
		if starts != set {
			t.Errorf("%s starts %d programs, and gives an environment to %d", file, starts, set)
		}
	}
	if started != 3 {
		t.Errorf("%d places start a program, want 3: put a new one into TestChildrenGetListedVariables", started)
	}
}
