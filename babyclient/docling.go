package babyclient

import "context"

// Docling converts documents to text and cuts them into chunks, on docling-serve behind the
// service. It is the Docling field of a [Client].
type Docling struct{ c *Client }

// DoclingHealth is what docling-serve says of itself.
type DoclingHealth struct {
	Meta
	// Status is "ok".
	Status string `json:"status"`
}

// Health tells whether docling-serve runs: GET /docling/health.
func (d *Docling) Health(ctx context.Context, opts ...CallOption) (*DoclingHealth, error) {
	return fetch(ctx, d.c, newGet("/docling/health"), opts, readHealth)
}

// Ready tells whether docling-serve takes documents: GET /docling/ready. While it does not, the
// error is [ErrUnavailable].
func (d *Docling) Ready(ctx context.Context, opts ...CallOption) (*DoclingHealth, error) {
	return fetch(ctx, d.c, newGet("/docling/ready"), opts, readHealth)
}

func readHealth(raw []byte) (*DoclingHealth, error) {
	out := new(DoclingHealth)
	if err := decode(raw, out); err != nil {
		return nil, err
	}
	if out.Status == "" {
		return nil, errNoField("status")
	}
	return out, nil
}

// DoclingVersion names the versions of docling-serve and its parts.
type DoclingVersion struct {
	Meta
	Versions map[string]string
}

// UnmarshalJSON takes the flat object of names and versions.
func (v *DoclingVersion) UnmarshalJSON(data []byte) error {
	return unmarshalFitting(data, &v.Versions, "")
}

// Version tells what docling-serve runs: GET /docling/version.
func (d *Docling) Version(ctx context.Context, opts ...CallOption) (*DoclingVersion, error) {
	return fetch(ctx, d.c, newGet("/docling/version"), opts, readVersion)
}

func readVersion(raw []byte) (*DoclingVersion, error) {
	out := new(DoclingVersion)
	if err := decode(raw, out); err != nil {
		return nil, err
	}
	if len(out.Versions) == 0 {
		return nil, errNoField("versions")
	}
	return out, nil
}
