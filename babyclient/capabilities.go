package babyclient

import (
	"context"
	"net/http"
)

// Capabilities is what a docling-serve offers.
type Capabilities struct {
	Meta
	// Versions of docling-serve and its parts, by name; nil where the operator hides them.
	Versions map[string]string `json:"versions"`
	// Stages are the steps of a conversion, by name ("ocr", "layout", "table_structure"…), with the
	// presets that a request can choose.
	Stages map[string]Stage `json:"stages"`
	// Sources are the kinds of sources that are taken: "file", "http", "s3"…
	Sources []string `json:"sources"`
	Targets struct {
		// Allowed are the kinds of targets that are taken: "inbody", "zip"…
		Allowed []string `json:"allowed"`
		Default string   `json:"default"`
	} `json:"targets"`
	OutputFormats    []string          `json:"output_formats"`
	ImageExportModes []ImageExportMode `json:"image_export_modes"`
	Limits           struct {
		MaxDocumentTimeout   float64 `json:"max_document_timeout"` // seconds
		MaxImagesScale       float64 `json:"max_images_scale"`
		MaxSourcesPerRequest int     `json:"max_sources_per_request"`
		MaxNumPages          *int    `json:"max_num_pages"` // nil: no limit
		MaxFileSize          *int64  `json:"max_file_size"` // bytes; nil: no limit
	} `json:"limits"`
	Features struct {
		APIKeyRequired bool `json:"api_key_required"`
		// ArtifactStorage tells that [PresignedURLTarget] is taken.
		ArtifactStorage bool `json:"artifact_storage"`
		WebSocket       bool `json:"websocket"`
	} `json:"features"`
}

// Stage is a step of a conversion.
type Stage struct {
	// Option is docling-serve's name of the option that chooses a preset, such as "ocr_preset".
	Option string `json:"option"`
	// CustomConfigOption is the name of the option that takes a configuration of the caller's own,
	// empty where the operator does not allow one.
	CustomConfigOption string `json:"custom_config_option"`
	// Default is the preset that is taken where none is chosen.
	Default string   `json:"default"`
	Presets []Preset `json:"presets"`
}

// Preset is a choice of models and settings for a stage.
type Preset struct {
	// ID is what the option takes.
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	// Source is "docling", or who else made the preset.
	Source string `json:"source"`
}

// Capabilities tells what docling-serve offers: GET /docling/v1/capabilities. A service that does
// not tell answers [ErrNotFound].
func (d *Docling) Capabilities(ctx context.Context, opts ...CallOption) (*Capabilities, error) {
	k := newGet("/docling/v1/capabilities")
	k.explain = func(e Error) Error {
		if e.StatusCode == http.StatusNotFound {
			e.Message = "this service does not offer its capabilities (" + e.Message + ")"
		}
		return e
	}
	return fetch(ctx, d.c, k, opts, readCapabilities)
}

func readCapabilities(raw []byte) (*Capabilities, error) {
	out := new(Capabilities)
	if err := decode(raw, out); err != nil {
		return nil, err
	}
	if len(out.Stages) == 0 && len(out.Sources) == 0 {
		return nil, errNoField("stages and no sources")
	}
	return out, nil
}
