package babyclient

import (
	"encoding/json"
	"maps"
)

// This file has the stores that docling-serve itself reads documents from or writes results to.
// Strings that are empty, and pointers that are nil, are not sent. The secrets among the fields go
// to docling-serve, and appear in no error.

// A Store is a place that docling-serve itself can read documents from, or write results to:
// [S3], [AzureBlob], [GoogleCloudStorage], [GoogleDrive], or [AnyStore]. See [FromStore] and
// [ConvertRequest.Target].
type Store interface {
	json.Marshaler
	isStore()
}

// S3 is a bucket of Amazon S3 or of what speaks its protocol.
type S3 struct {
	// Endpoint is the host, without "https://".
	Endpoint string `json:"endpoint"`
	Bucket   string `json:"bucket"`
	// KeyPrefix is that of the objects to read or write.
	KeyPrefix string `json:"key_prefix,omitempty"`
	Region    string `json:"region,omitempty"`
	AccessKey string `json:"access_key,omitempty"`
	SecretKey string `json:"secret_key,omitempty"`
	// VerifySSL is true where it is not set.
	VerifySSL *bool `json:"verify_ssl,omitzero"`
	// MaxObjects is how many documents to read at most, 0 for all.
	MaxObjects int `json:"max_num_elements,omitempty"`

	// Extra are further fields by docling-serve's names, and win over the fields above.
	Extra map[string]any `json:"-"`
}

// AzureBlob is a container of Azure Blob Storage.
type AzureBlob struct {
	AccountName      string `json:"account_name"`
	Container        string `json:"container"`
	ConnectionString string `json:"connection_string"`
	// BlobPrefix is that of the blobs to read or write.
	BlobPrefix string `json:"blob_prefix,omitempty"`
	// MaxObjects is how many documents to read at most, 0 for all.
	MaxObjects int `json:"max_num_elements,omitempty"`

	// Extra are further fields by docling-serve's names, and win over the fields above.
	Extra map[string]any `json:"-"`
}

// GoogleCloudStorage is a bucket of Google Cloud Storage.
type GoogleCloudStorage struct {
	Bucket string `json:"bucket"`
	// KeyPrefix is that of the objects to read or write.
	KeyPrefix string `json:"key_prefix,omitempty"`
	Project   string `json:"project,omitempty"`
	// ServiceAccountKey is the JSON of the key file of a service account.
	ServiceAccountKey json.RawMessage `json:"service_account_key,omitempty"`
	// MaxObjects is how many documents to read at most, 0 for all.
	MaxObjects int `json:"max_num_elements,omitempty"`

	// Extra are further fields by docling-serve's names, and win over the fields above.
	Extra map[string]any `json:"-"`
}

// GoogleDrive is a file or a folder of Google Drive.
type GoogleDrive struct {
	// PathID is the id in the URL of the file or folder.
	PathID       string `json:"path_id"`
	RefreshToken string `json:"refresh_token,omitempty"`
	// Credentials is the JSON of an OAuth client.
	Credentials json.RawMessage `json:"credentials,omitempty"`

	// Extra are further fields by docling-serve's names, and win over the fields above.
	Extra map[string]any `json:"-"`
}

// AnyStore is a store, or a target, by docling-serve's own names: {"kind": "…", …}.
type AnyStore map[string]any

// MarshalJSON encodes the store as docling-serve takes it.
func (s S3) MarshalJSON() ([]byte, error) {
	type fields S3
	return encodeKind("s3", fields(s), s.Extra)
}

// MarshalJSON encodes the store as docling-serve takes it.
func (s AzureBlob) MarshalJSON() ([]byte, error) {
	type fields AzureBlob
	return encodeKind("azure_blob", fields(s), s.Extra)
}

// MarshalJSON encodes the store as docling-serve takes it.
func (s GoogleCloudStorage) MarshalJSON() ([]byte, error) {
	type fields GoogleCloudStorage
	return encodeKind("google_cloud_storage", fields(s), s.Extra)
}

// MarshalJSON encodes the store as docling-serve takes it.
func (s GoogleDrive) MarshalJSON() ([]byte, error) {
	type fields GoogleDrive
	return encodeKind("google_drive", fields(s), s.Extra)
}

// MarshalJSON encodes the map.
func (s AnyStore) MarshalJSON() ([]byte, error) { return encodeBody(map[string]any(s), nil) }

// encodeKind adds the kind, by which docling-serve tells stores and targets apart.
func encodeKind(kind string, v any, extra map[string]any) ([]byte, error) {
	all := map[string]any{"kind": kind}
	maps.Copy(all, extra)
	return encodeBody(v, all)
}

func (S3) isStore()                 {}
func (AzureBlob) isStore()          {}
func (GoogleCloudStorage) isStore() {}
func (GoogleDrive) isStore()        {}
func (AnyStore) isStore()           {}

// ZipTarget puts the results into a zip, which is the answer.
func ZipTarget() AnyStore { return AnyStore{"kind": "zip"} }

// InBodyTarget puts the result into the answer. It is what docling-serve does without a target.
func InBodyTarget() AnyStore { return AnyStore{"kind": "inbody"} }

// PresignedURLTarget puts the results into the store of docling-serve's operator. The answer tells
// where: see [ConvertResponse.Artifacts]. A service without a store answers 422.
func PresignedURLTarget() AnyStore { return AnyStore{"kind": "presigned_url"} }

// PutTarget sends the results, as a zip, to a URL with PUT. The zip is the field "file" of a
// multipart/form-data body. See [ConvertResponse.Stored].
func PutTarget(url string) AnyStore { return AnyStore{"kind": "put", "url": url} }

// kindOf is the kind of a target or a store, "" if it has none.
func kindOf(target any) string {
	raw, err := marshal(target)
	if err != nil {
		return ""
	}
	var fields struct {
		Kind string `json:"kind"`
	}
	_ = json.Unmarshal(raw, &fields) // what is no object has no kind
	return fields.Kind
}
