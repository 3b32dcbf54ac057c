package provider

import "encoding/json"

// doclingDocument is what is read of a document in docling's JSON.
type doclingDocument struct {
	Origin   doclingOrigin              `json:"origin"`
	Pages    map[string]json.RawMessage `json:"pages"`
	Body     doclingNode                `json:"body"`
	Groups   []doclingNode              `json:"groups"`
	Texts    []doclingNode              `json:"texts"`
	Tables   []doclingNode              `json:"tables"`
	Pictures []doclingNode              `json:"pictures"`
}

type doclingOrigin struct {
	MediaType string      `json:"mimetype"`
	Hash      json.Number `json:"binary_hash"` // larger than an int64
}

type doclingNode struct {
	Ref      string `json:"self_ref"`
	Layer    string `json:"content_layer"`
	Children []struct {
		Ref string `json:"$ref"`
	} `json:"children"`
	Provenance []struct {
		Page int `json:"page_no"`
	} `json:"prov"`
}

// readDoclingDocument reads docling's JSON. Where there is none, or it cannot be read, the document
// is empty, which only means less metadata.
func readDoclingDocument(raw json.RawMessage) (doc doclingDocument) {
	if len(raw) > 0 && json.Unmarshal(raw, &doc) != nil {
		return doclingDocument{}
	}
	return doc
}

// pageOrder is the numbers of the pages that hold something, in the order in which docling writes
// page breaks between them into Markdown. That order is the order of the items in the body.
func (d *doclingDocument) pageOrder() []int {
	nodes := map[string]*doclingNode{}
	for _, list := range [][]doclingNode{d.Groups, d.Texts, d.Tables, d.Pictures} {
		for i := range list {
			nodes[list[i].Ref] = &list[i]
		}
	}
	var order []int
	var walk func(*doclingNode)
	walk = func(n *doclingNode) {
		if n.Layer == "furniture" { // running heads and page numbers are not in the Markdown
			return
		}
		if len(n.Provenance) > 0 {
			if p := n.Provenance[0].Page; len(order) == 0 || p > order[len(order)-1] {
				order = append(order, p)
			}
		}
		for _, child := range n.Children {
			if c := nodes[child.Ref]; c != nil {
				delete(nodes, child.Ref) // a tree with a circle in it must not be walked for ever
				walk(c)
			}
		}
	}
	walk(&d.Body)
	return order
}
