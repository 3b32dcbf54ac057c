// Package docling reads a DoclingDocument.
package docling
