package provider

import "strings"

// Prefixes are put before each text, for models that were trained with instructions.
type Prefixes struct {
	Query, Document string
}

// modelPrefixes are what the cards of the models say, for retrieval. The first row counts whose
// parts are all in the model's name. A blank at the end, or none, is as on the card:
// Qwen3-Embedding has none after "Query:", E5 has one.
var modelPrefixes = []struct {
	parts    []string
	prefixes Prefixes
}{
	{[]string{"qwen3-embedding"}, Prefixes{Query: "Instruct: " + webSearchTask + "\nQuery:"}},
	{[]string{"e5-mistral"}, Prefixes{Query: "Instruct: " + webSearchTask + "\nQuery: "}},
	{[]string{"e5-large-instruct"}, Prefixes{Query: "Instruct: " + webSearchTask + "\nQuery: "}},
	{[]string{"gte-qwen2", "instruct"}, Prefixes{Query: "Instruct: " + webSearchTask + "\nQuery: "}},
	{[]string{"e5-small"}, Prefixes{Query: "query: ", Document: "passage: "}},
	{[]string{"e5-base"}, Prefixes{Query: "query: ", Document: "passage: "}},
	{[]string{"e5-large"}, Prefixes{Query: "query: ", Document: "passage: "}},
	{[]string{"bge-m3"}, Prefixes{}},
	{[]string{"bge-", "-en"}, Prefixes{Query: passagesTask}},
	{[]string{"bge-", "-zh"}, Prefixes{Query: "为这个句子生成表示以用于检索相关文章："}},
	{[]string{"mxbai-embed-large"}, Prefixes{Query: passagesTask}},
	{[]string{"snowflake-arctic-embed", "v2"}, Prefixes{Query: "query: "}},
	{[]string{"snowflake-arctic-embed"}, Prefixes{Query: passagesTask}},
	{[]string{"nomic-embed-text"}, Prefixes{Query: "search_query: ", Document: "search_document: "}},
	{[]string{"embeddinggemma"}, Prefixes{Query: "task: search result | query: ", Document: "title: none | text: "}},
}

const (
	webSearchTask = "Given a web search query, retrieve relevant passages that answer the query"
	passagesTask  = "Represent this sentence for searching relevant passages: "
)

// ModelPrefixes are the prefixes that the makers of a model give for retrieval, by the name of the
// model: of Qwen3-Embedding, E5, BGE, GTE-Qwen2, mxbai-embed-large, Snowflake Arctic Embed, Nomic
// and EmbeddingGemma. For other models ok is false.
func ModelPrefixes(model string) (p Prefixes, ok bool) {
	name := strings.ToLower(model)
	for _, row := range modelPrefixes {
		matches := true
		for _, part := range row.parts {
			matches = matches && strings.Contains(name, part)
		}
		if matches {
			return row.prefixes, true
		}
	}
	return Prefixes{}, false
}
