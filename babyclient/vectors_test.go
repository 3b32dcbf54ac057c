package babyclient

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// decodeEmbeddingsPlainly is what decodeEmbeddings must equal: encoding/json alone, slowly.
func decodeEmbeddingsPlainly(raw []byte, n int) (*embedAnswer, error) {
	var a struct {
		ID     string `json:"id"`
		Object string `json:"object"`
		Model  string `json:"model"`
		Usage  *Usage `json:"usage"`
		Data   []struct {
			Index     *int            `json:"index"`
			Embedding json.RawMessage `json:"embedding"`
		} `json:"data"`
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, err
	}
	if n < 0 {
		n = len(a.Data)
	}
	if len(a.Data) != n {
		return nil, errors.New("number")
	}
	out := &embedAnswer{ID: a.ID, Object: a.Object, Model: a.Model, Usage: a.Usage, vectors: make([][]float32, n)}
	for i, d := range a.Data {
		at := i
		if d.Index != nil {
			at = *d.Index
		}
		if at < 0 || at >= n || out.vectors[at] != nil {
			return nil, errors.New("index")
		}
		var v []float32
		var s string
		var numbers []*float32
		switch {
		case json.Unmarshal(d.Embedding, &numbers) == nil:
			for _, f := range numbers {
				if f == nil {
					return nil, errors.New("null")
				}
				v = append(v, *f)
			}
		case json.Unmarshal(d.Embedding, &s) == nil:
			if strings.ContainsAny(s, "\r\n") {
				s = strings.NewReplacer("\r", "", "\n", "").Replace(s) // as encoding/base64 does
			}
			b, err := base64.StdEncoding.DecodeString(s)
			if err != nil || len(b)%4 != 0 {
				return nil, errors.New("base64")
			}
			for ; len(b) > 0; b = b[4:] {
				f := math.Float32frombits(binary.LittleEndian.Uint32(b))
				if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
					return nil, errors.New("not finite")
				}
				v = append(v, f)
			}
		default:
			return nil, errors.New("form")
		}
		if len(v) == 0 ||
			i > 0 && slices.ContainsFunc(out.vectors, func(o []float32) bool { return o != nil && len(o) != len(v) }) {
			return nil, errors.New("size")
		}
		out.vectors[at] = v
	}
	return out, nil
}

func sameEmbeddings(t *testing.T, raw []byte, n int) {
	t.Helper()
	got, err := decodeEmbeddings(raw, n)
	want, wantErr := decodeEmbeddingsPlainly(raw, n)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q (n=%d): error %v, encoding/json %v", raw, n, err, wantErr)
	}
	if err != nil {
		return
	}
	bits := func(r *embedAnswer) string {
		var b strings.Builder
		for _, v := range r.vectors {
			for _, f := range v {
				fmt.Fprintf(&b, "%08x ", math.Float32bits(f))
			}
			b.WriteByte('\n')
		}
		usage, _ := json.Marshal(r.Usage)
		return fmt.Sprintf("%q %q %q %s\n%s", r.ID, r.Object, r.Model, usage, b.String())
	}
	if bits(got) != bits(want) {
		t.Fatalf("%q (n=%d):\n%s\nencoding/json:\n%s", raw, n, bits(got), bits(want))
	}
}

var embeddingSeeds = []string{
	`{"object":"list","data":[{"index":0,"embedding":[0.1,-2,3e-3]},{"index":1,"embedding":[1,2,3]}],"model":"m",` +
		`"usage":{"prompt_tokens":3}}`,
	`{"object":"list","data":[{"index":1,"embedding":"AACAPwAAAEA="},{"index":0,"embedding": "AACAPwAAAEA="}],` +
		`"model":"embedding"}`,
	`{"data":[{"embedding":[1],"embedding":[2]}]}`,
	`{"data":[{"embedding":[1],"Embedding":[2]}]}`,
	`{"data":[{"\u0065mbedding":[1]}]}`,
	`{"data":[{"embedding":"#0"},{"embedding":[1]}]}`,
	`{"data":[{"\u0065mbedding":"\u00230"},{"embedding":[1]}]}`,
	`{"model":"a\"embedding\":\"b","data":[{"embedding":[1,2]}]}`,
	`{"data":[{"embedding":[1,[2],3]}]}`,
	`{"data":[{"embedding":[1,"]",3]}]}`,
	`{"data":[{"embedding":[null]}]}`,
	`{"data":[{"embedding":[]}]}`,
	`{"data":[{"embedding":[ ]}]}`,
	`{"data":[{"embedding":[1e39]}]}`,
	`{"data":[{"embedding":[01]}]}`,
	`{"data":[{"embedding":[1,]}]}`,
	`{"data":[{"embedding":[1 2]}]}`,
	`{"data":[{"embedding":[-]}]}`,
	`{"data":[{"embedding":["1"]}]}`,
	`{"data":[{"embedding":"AACAPw==\/"}]}`,
	`{"data":[{"embedding":"AAC\u0041Pw=="}]}`,
	"{\"data\":[{\"embedding\":\"AACA\nPw==\"}]}",
	`{"data":[{"embedding":"AACA\nPw=="}]}`,
	`{"data":[{"embedding":"AADAfw=="}]}`,
	`{"data":[{"embedding":{"embedding":[1]}}]}`,
	`["embedding":[1]]`,
	`{"embedding":[1],"data":[{"embedding":[2]}]}`,
	`{"data":[{"embedding":[1]},{"embedding":[1,2]}]}`,
	`{"data":"embedding"}`,
	`{"data":[{"index":0,"embedding" : [ 1 , 2 ] }]}`,
	`{"data":[{"embedding":[1]}]}x`,
	`{"data":[{"embedding":[1`,
	`{"data":[{"embedding":"`,
	`"embedding"`,
	`{"x"embedding":[1]}`,
}

func TestDecodeEmbeddingsEqualsEncodingJSON(t *testing.T) {
	for _, raw := range embeddingSeeds {
		for _, n := range []int{-1, 0, 1, 2} {
			sameEmbeddings(t, []byte(raw), n)
		}
	}
}

func FuzzDecodeEmbeddings(f *testing.F) {
	for _, raw := range embeddingSeeds {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { sameEmbeddings(t, raw, -1) })
}

func sameFloat(t *testing.T, s string) {
	t.Helper()
	var want float32
	err := json.Unmarshal([]byte(s), &want)
	got, next, ok := parseFloat32([]byte(s), 0)
	for _, after := range []string{",12345678", "]}]}    ", "\n-1.5"} {
		if f, n, o := parseFloat32([]byte(s+after), 0); ok && next == len(s) && (f != got || n != next || !o) {
			t.Fatalf("%q before %q is %v, alone %v", s, after, f, got)
		}
	}
	if !ok || next != len(s) {
		if err == nil && !strings.ContainsAny(s, " \t\r\nn") {
			t.Fatalf("%q is refused", s)
		}
		return
	}
	if err != nil || math.Float32bits(got) != math.Float32bits(want) {
		t.Fatalf("%q: %x, encoding/json %x (%v)", s, math.Float32bits(got), math.Float32bits(want), err)
	}
}

func TestParseFloat32EqualsStrconv(t *testing.T) {
	for _, s := range []string{"0", "-0", "0.0", "-0.0e5", "1", "0.1", "3.4028235e38", "3.4028236e38", "1.17549435e-38",
		"1e-45", "7e-46", "1e-46", "1e400",
		"16777217", "16777219", "0.333333343267440795898437500", "1.00000005960464477539062500001",
		"1.000000059604644775390625", "9007199254740993",
		"123456789012345678901234567890", "0.00000000000000000000000001", "1E+2", "1e", "1.", ".5", "00", "-",
		"1e9999999999", "99999999999999999999e-19"} {
		sameFloat(t, s)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		f := math.Float32frombits(r.Uint32())
		if f != f || math.IsInf(float64(f), 0) {
			continue
		}
		sameFloat(t, strconv.FormatFloat(float64(f), 'g', -1, 32))
		sameFloat(t, strconv.FormatFloat(float64(f), 'g', -1, 64)) // as Python prints a float32
		// The exact half between two float32, and just beside it.
		half := (float64(f) + float64(math.Nextafter32(f, math.MaxFloat32))) / 2
		exact := strconv.FormatFloat(half, 'f', -1, 64)
		sameFloat(t, exact)
		if strings.Contains(exact, ".") {
			sameFloat(t, exact+"0000001")
		}
	}
}

// TestFloatsTakeTheShortWay: one number that the fast parser declines, and the whole vector is
// decoded with allocations.
func TestFloatsTakeTheShortWay(t *testing.T) {
	for _, form := range []string{"float", "base64"} {
		raw := embeddingAnswer(16, 256, form)
		allocs := testing.AllocsPerRun(5, func() {
			if _, err := decodeEmbeddings(raw, 16); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > 50 {
			t.Errorf("%s: %v allocations for 16 vectors", form, allocs)
		}
	}
}

func FuzzParseFloat32(f *testing.F) {
	for _, s := range []string{"1.5", "-0.1e-7", "16777217"} {
		f.Add(s)
	}
	f.Fuzz(sameFloat)
}

func BenchmarkDecodeEmbeddings(b *testing.B) {
	for _, form := range []string{"base64", "float"} {
		b.Run(form, func(b *testing.B) {
			raw := embeddingAnswer(256, 1024, form)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decodeEmbeddings(raw, 256); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("bare-base64", func(b *testing.B) {
		raw := []byte(base64.StdEncoding.EncodeToString(make([]byte, 4096)))
		out := make([]byte, 4096)
		for b.Loop() {
			for range 256 {
				_, _ = base64.StdEncoding.Decode(out, raw)
			}
		}
	})
}

// embeddingAnswer is an answer of count vectors of size dimensions, as vLLM writes it.
func embeddingAnswer(count, size int, form string) []byte {
	r := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	b.WriteString(`{"id":"embd-1","object":"list","created":1795345303,"model":"m","data":[`)
	for i := range count {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"index":%d,"object":"embedding","embedding":`, i)
		var bytes []byte
		for j := range size {
			f := float32(r.NormFloat64() * 0.05)
			if form == "base64" {
				bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(f))
				continue
			}
			if j == 0 {
				b.WriteByte('[')
			} else {
				b.WriteByte(',')
			}
			b.WriteString(strconv.FormatFloat(float64(f), 'g', -1, 64))
		}
		if form == "base64" {
			b.WriteString(`"` + base64.StdEncoding.EncodeToString(bytes) + `"}`)
		} else {
			b.WriteString(`]}`)
		}
	}
	b.WriteString(`],"usage":{"prompt_tokens":7,"total_tokens":7}}`)
	return []byte(b.String())
}
