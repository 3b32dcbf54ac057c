package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// program is one client as a whole process.
type program struct {
	name string
	args []string // what starts it
	size int64    // bytes of a stripped Go program, 0 for others
}

// Operations of whole processes.
var processOperations = []string{"chat", "stream", "embed", "upload"}

// goPrograms are the programs in programs/ by their client.
var goPrograms = []struct{ dir, name string }{{"babyapi", ours}, {"raw", raw}, {"goopenai", goOpenAI}, {"langchaingo", langchain}, {"openaigo", openAIGo}}

// build builds a package of this tree, stripped, and returns where it is.
func build(ctx context.Context, dir, out, pkg string) (string, error) {
	path := filepath.Join(out, filepath.Base(pkg))
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, pkg) //nolint:gosec // packages of this tree
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", pkg, err, text)
	}
	return path, nil
}

// programs builds the Go programs and prepares the Python ones, as far as they can be had.
func programs(ctx context.Context, o options, tmp string, skip func(what string, err error)) ([]program, error) {
	var out []program
	for _, p := range goPrograms {
		path, err := build(ctx, o.dir, tmp, "./bench/programs/"+p.dir)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		out = append(out, program{p.name, []string{path}, info.Size()})
	}
	if o.quick {
		return out, nil // the SDKs of Python are hundreds of files to install
	}
	python, err := pythonEnv(ctx, o, "sdks")
	if err != nil {
		skip("the Python SDKs", err)
		return out, nil
	}
	for _, sdk := range []string{"babyapi", "openai"} {
		out = append(out, program{"Python " + sdk, []string{python, filepath.Join(o.dir, "bench", "python", sdk+"_sdk.py")}, 0})
	}
	return out, nil
}

// pythonEnv is the Python of a virtual environment with the packages of a locked list, made at the first run.
func pythonEnv(ctx context.Context, o options, list string) (string, error) {
	requirements := filepath.Join(o.dir, "bench", "python", list+".txt")
	lock, err := os.ReadFile(requirements)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	env := filepath.Join(cache, "babyapi-bench", fmt.Sprintf("%s-%.6x", list, sha256.Sum256(lock)))
	done := filepath.Join(env, "installed")
	python := filepath.Join(env, "bin", "python")
	if runtime.GOOS == "windows" {
		python = filepath.Join(env, "Scripts", "python.exe")
	}
	if _, err := os.Stat(done); err == nil {
		return python, nil
	}
	for _, args := range [][]string{{"python3", "-m", "venv", "--clear", env}, {python, "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:", "-r", requirements}} {
		if text, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil { //nolint:gosec // our own command lines
			return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, lastLine(text))
		}
	}
	return python, os.WriteFile(done, nil, 0o600)
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// processes runs every program for every operation, several times in turn, and keeps the best.
func processes(ctx context.Context, srv *serverProcess, a *answers, o options, all []program, tmp string, progress func(string)) (map[string]map[string]*spent, map[string]serverStats, error) {
	launch, err := build(ctx, o.dir, tmp, "./bench/programs/launch")
	if err != nil {
		return nil, nil, err
	}
	file := filepath.Join(tmp, "upload.bin")
	if err := os.WriteFile(file, make([]byte, a.sizes.Upload), 0o600); err != nil {
		return nil, nil, err
	}
	want := map[string]string{"chat": strconv.Itoa(len(a.text)), "stream": strconv.Itoa(len(a.streamed)), "embed": strconv.Itoa(a.sizes.Texts * a.sizes.Dimensions), "upload": "received"}
	input := map[string][]string{"embed": a.inputs(), "upload": {file}}
	out := map[string]map[string]*spent{}
	uploads := map[string]serverStats{}
	for _, operation := range processOperations {
		progress("whole processes: " + operation)
		out[operation] = map[string]*spent{}
		rounds := o.rounds
		switch operation {
		case "chat":
			rounds *= 20 // the shortest of all, so noise is the largest part of it
		case "upload":
			rounds *= 2 // the limit is the closest of all
		}
		for round := range rounds {
			for _, p := range all {
				if operation == "upload" && p.name == langchain || p.size == 0 && round >= 3 {
					continue // it has none; Python takes seconds, and far more than noise
				}
				args := slices.Concat(p.args, []string{operation, srv.URL}, input[operation])
				if _, err := srv.take(); err != nil {
					return nil, nil, err
				}
				text, err := exec.CommandContext(ctx, launch, args...).Output() //nolint:gosec // our own programs
				if err != nil {
					if exit, ok := errors.AsType[*exec.ExitError](err); ok {
						err = fmt.Errorf("%w: %s", err, lastLine(exit.Stderr))
					}
					return nil, nil, fmt.Errorf("%s, %s: %w", p.name, operation, err)
				}
				var r struct {
					spent
					Output string
				}
				if err := json.Unmarshal(text, &r); err != nil {
					return nil, nil, err
				}
				if got := strings.TrimSpace(r.Output); got != want[operation] {
					return nil, nil, fmt.Errorf("%s, %s: the answer is wrong: %q, want %q", p.name, operation, got, want[operation])
				}
				if out[operation][p.name] == nil {
					out[operation][p.name] = &spent{}
				}
				out[operation][p.name].best(r.spent)
				if operation == "upload" {
					if uploads[p.name], err = srv.take(); err != nil {
						return nil, nil, err
					}
				}
			}
		}
	}
	return out, uploads, nil
}
