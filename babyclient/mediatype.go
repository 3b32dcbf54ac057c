package babyclient

import (
	"mime"
	"net/http"
	"path"
	"strings"
)

// documentTypes are the types that docling reads, some of which a system's own table lacks.
var documentTypes = map[string]string{
	".adoc":     "text/asciidoc",
	".bmp":      "image/bmp",
	".csv":      "text/csv",
	".docx":     "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".eml":      "message/rfc822",
	".epub":     "application/epub+zip",
	".htm":      "text/html",
	".html":     "text/html",
	".jpeg":     "image/jpeg",
	".jpg":      "image/jpeg",
	".json":     "application/json",
	".markdown": "text/markdown",
	".md":       "text/markdown",
	".odt":      "application/vnd.oasis.opendocument.text",
	".pdf":      "application/pdf",
	".png":      "image/png",
	".pptx":     "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".tex":      "text/x-tex",
	".tif":      "image/tiff",
	".tiff":     "image/tiff",
	".txt":      "text/plain",
	".vtt":      "text/vtt",
	".webp":     "image/webp",
	".xhtml":    "application/xhtml+xml",
	".xlsx":     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".xml":      "application/xml",
	".zip":      "application/zip",
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
