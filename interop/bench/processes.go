package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
)

// processOperations are those of whole processes.
var processOperations = []string{calls.Chat, calls.Stream, calls.EmbedDefault, calls.Upload}

// The Python SDKs, beside the clients asTheyCome.
const pythonBabyAPI, pythonOpenAI = "Python babyapi", "Python openai"

// build builds a package of this tree, stripped, and returns where it is.
func (r *run) build(ctx context.Context, folder, pkg string) (string, error) {
	path := filepath.Join(r.tmp, filepath.Base(pkg))
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	args := []string{"build", "-trimpath", "-ldflags", "-s -w", "-o", path, pkg}
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // packages of this tree
	cmd.Dir = folder
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", pkg, err, text)
	}
	return path, nil
}

// programs builds the Go programs and prepares the Python ones, as far as they can be had. It
// returns what starts each client.
func (r *run) programs(ctx context.Context) (map[string][]string, error) {
	out := map[string][]string{}
	for _, client := range asTheyCome {
		path, err := r.build(ctx, r.folder, "./bench/programs/"+client)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		r.results.keep(key("program", client), result{programBytes: float64(info.Size())})
		out[client] = []string{path}
	}
	if r.quick {
		return out, nil // the SDKs of Python are hundreds of files to install
	}
	python, err := r.python(ctx, "sdks")
	if err != nil {
		r.skip("the Python SDKs", err)
		return out, nil
	}
	scripts := filepath.Join(r.folder, "bench", "python")
	out[pythonBabyAPI] = []string{python, filepath.Join(scripts, "babyapi_sdk.py")}
	out[pythonOpenAI] = []string{python, filepath.Join(scripts, "openai_sdk.py")}
	return out, nil
}

// python returns the Python of a virtual environment with the packages of a locked list, which is
// made at the first run.
func (r *run) python(ctx context.Context, listBytes string) (string, error) {
	requirements := filepath.Join(r.folder, "bench", "python", listBytes+".txt")
	lock, err := os.ReadFile(requirements)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	env := filepath.Join(cache, "babyapi-bench", fmt.Sprintf("%s-%.6x", listBytes, sha256.Sum256(lock)))
	python := filepath.Join(env, "bin", "python")
	if runtime.GOOS == "windows" {
		python = filepath.Join(env, "Scripts", "python.exe")
	}
	installed := filepath.Join(env, "installed")
	if _, err := os.Stat(installed); err == nil {
		return python, nil
	}
	for _, args := range [][]string{
		{"python3", "-m", "venv", "--clear", env},
		{python, "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:", "-r", requirements},
	} {
		text, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput() //nolint:gosec // ours
		if err != nil {
			return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, lastLine(text))
		}
	}
	return python, os.WriteFile(installed, nil, 0o600)
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// compareProcesses runs every program for every operation, several times in turn.
func (r *run) compareProcesses(ctx context.Context, a *answers) error {
	all, err := r.programs(ctx)
	if err != nil {
		return err
	}
	launch, err := r.build(ctx, r.folder, "./bench/programs/launch")
	if err != nil {
		return err
	}
	file := filepath.Join(r.tmp, "upload.bin")
	if err := os.WriteFile(file, make([]byte, a.sizes.Upload), 0o600); err != nil {
		return err
	}
	arguments := map[string][]string{calls.EmbedDefault: a.input().Texts, calls.Upload: {file}}
	want := map[string]int{ // what calls.Main prints
		calls.Chat:         len(a.want[calls.Chat].(string)),
		calls.Stream:       len(a.want[calls.Stream].(string)),
		calls.EmbedDefault: a.sizes.Texts * a.sizes.Dimensions,
		calls.Upload:       len("received"),
	}
	for _, operation := range processOperations {
		r.say("whole processes: " + operation)
		rounds := r.rounds
		switch operation {
		case calls.Chat:
			rounds *= 20 // the shortest of all, so noise is the largest part of it
		case calls.Upload:
			rounds *= 2 // the limit is the closest of all
		}
		for round := range rounds {
			for client, program := range all {
				if operation == calls.Upload && client == langchain {
					continue // it has none
				}
				if strings.HasPrefix(client, "Python") && round >= 3 {
					continue // seconds, and far more than noise
				}
				command := slices.Concat(program, []string{operation, r.service.URL}, arguments[operation])
				found, err := r.launch(ctx, launch, command, want[operation])
				if err != nil {
					return fmt.Errorf("%s, %s: %w", client, operation, err)
				}
				r.results.keep(key("process", operation, client), found)
			}
		}
	}
	return nil
}

// launch runs a command to its end, by the program that measures it, and checks what it prints.
func (r *run) launch(ctx context.Context, launcher string, command []string, want int) (result, error) {
	if _, err := r.service.seen(); err != nil {
		return nil, err
	}
	text, err := exec.CommandContext(ctx, launcher, command...).Output() //nolint:gosec // ours
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, lastLine(exit.Stderr))
		}
		return nil, err
	}
	var took struct {
		CPU, Wall, Peak float64
		Output          string
	}
	if err := json.Unmarshal(text, &took); err != nil {
		return nil, err
	}
	if got := strings.TrimSpace(took.Output); got != strconv.Itoa(want) {
		return nil, fmt.Errorf("the answer is wrong: it printed %q, want %d", got, want)
	}
	seen, err := r.service.seen()
	if err != nil {
		return nil, err
	}
	return result{
		cpuNs: took.CPU, wallNs: took.Wall, peakBytes: took.Peak,
		declaredBytes: float64(seen.ContentLength), receivedBytes: float64(seen.Received),
	}, nil
}

// startPiped starts a program and returns its input and its output.
func startPiped(cmd *exec.Cmd) (io.WriteCloser, io.Reader, error) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	return stdin, stdout, cmd.Start()
}
