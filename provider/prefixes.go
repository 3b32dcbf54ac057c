package provider

import "strings"

// Prefixes are put before each text, for models that were trained with instructions.
type Prefixes struct {
	Query, Document string
}

// ModelPrefixes are the prefixes that the makers of a model give for retrieval. They are known for
// Qwen3-Embedding, E5 and BGE, by the name of the model; for other models ok is false.
func ModelPrefixes(model string) (p Prefixes, ok bool) {
	const task = "Given a web search query, retrieve relevant passages that answer the query"
	has := func(part string) bool { return strings.Contains(strings.ToLower(model), part) }
	switch {
	case has("qwen3-embedding"), has("e5-mistral"), has("e5-large-instruct"):
		return Prefixes{Query: "Instruct: " + task + "\nQuery: "}, true
	case has("e5-small"), has("e5-base"), has("e5-large"):
		return Prefixes{Query: "query: ", Document: "passage: "}, true
	case has("bge-m3"):
		return Prefixes{}, true
	case has("bge-") && has("-en"):
		return Prefixes{Query: "Represent this sentence for searching relevant passages: "}, true
	case has("bge-") && has("-zh"):
		return Prefixes{Query: "为这个句子生成表示以用于检索相关文章："}, true
	}
	return Prefixes{}, false
}
