package provider

import (
	"errors"
	"maps"
	"slices"

	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/textsplitter"
)

// splitText splits a text, with the header of a table in front of each piece that begins inside it.
func splitText(splitter textsplitter.TextSplitter, text string) ([]string, error) {
	pieces, err := splitter.SplitText(text)
	if err != nil {
		return nil, err
	}
	pieces = slices.DeleteFunc(withTableHeaders(text, pieces), isBlank)
	if len(pieces) == 0 && !isBlank(text) {
		return nil, errors.New("it returned no text")
	}
	return pieces, nil
}

// pieceOf is a piece of a document, without the metadata that is of the whole alone.
func pieceOf(d schema.Document, piece string, number int) schema.Document {
	metadata := maps.Clone(d.Metadata)
	if piece != d.PageContent {
		for _, key := range []string{MetadataTokens, MetadataBoxes, MetadataCaptions} {
			delete(metadata, key)
		}
	}
	metadata[MetadataChunk] = number
	return newDocument(piece, metadata)
}
