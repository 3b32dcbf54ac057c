package babyclient

import (
	"mime"
	"net/http"
	"path"
	"strings"
)

// documentTypes are the types that docling reads, some of which a system's own table lacks.
var documentTypes = map[string]string{
	".adoc": "text/asciidoc", ".csv": "text/csv", ".md": "text/markdown", ".markdown": "text/markdown",
	".tex": "text/x-tex", ".txt": "text/plain", ".vtt": "text/vtt",
	".htm": "text/html", ".html": "text/html", ".xhtml": "application/xhtml+xml",
	".json": "application/json", ".xml": "application/xml", ".zip": "application/zip",
	".bmp": "image/bmp", ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".png": "image/png",
	".tif": "image/tiff", ".tiff": "image/tiff", ".webp": "image/webp",
	".eml": "message/rfc822", ".epub": "application/epub+zip", ".pdf": "application/pdf",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".odt":  "application/vnd.oasis.opendocument.text",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

func mediaTypeByExtension(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if t := documentTypes[ext]; t != "" {
		return t
	}
	t, _, _ := strings.Cut(mime.TypeByExtension(ext), ";")
	return t
}

func sniff(start []byte) string {
	t, _, _ := strings.Cut(http.DetectContentType(start), ";")
	return t
}
