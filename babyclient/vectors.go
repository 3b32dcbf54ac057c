package babyclient

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// An embedding answer is megabytes of vectors in a few hundred bytes of JSON. So the vectors
// are cut out and decoded on their own, and encoding/json gets the rest with a mark in the
// place of each: see cutVectors for why that gives what it would have given for the whole.

// embedAnswer is an embedding answer whose vectors are JSON, or the marks of cut ones.
type embedAnswer struct {
	ID     string `json:"id"`
	Object string `json:"object"`
	Model  string `json:"model"`
	Usage  *Usage `json:"usage"`
	Data   []struct {
		Index     vectorIndex `json:"index"`
		Embedding vectorValue `json:"embedding"`
	} `json:"data"`
}

// vectorIndex is an index that may be absent, without the allocation of a pointer.
type vectorIndex struct {
	at  int
	set bool
}

func (x *vectorIndex) UnmarshalJSON(b []byte) error {
	*x = vectorIndex{set: string(b) != "null"}
	if len(b) > 9 {
		return json.Unmarshal(b, &x.at)
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return json.Unmarshal(b, &x.at)
		}
		x.at = x.at*10 + int(c-'0')
	}
	return nil
}

// vectorValue is the JSON of a vector, or the number of a cut one.
type vectorValue struct {
	cut int // counted from 1
	raw []byte
}

func (v *vectorValue) UnmarshalJSON(b []byte) error {
	*v = vectorValue{}
	if len(b) < 2 || b[0] != '"' || b[1] != mark {
		v.raw = bytes.Clone(b)
		return nil
	}
	for _, c := range b[2 : len(b)-1] {
		v.cut = v.cut*10 + int(c-'0')
	}
	return nil
}

// decodeEmbeddings decodes an answer with n vectors, or as many as there are for n < 0, into
// the order of their inputs.
func decodeEmbeddings(raw []byte, n int) (*EmbedResponse, error) {
	rest, cuts := cutVectors(raw, max(n, 0))
	var a embedAnswer
	a.Data = slices.Grow(a.Data, max(n, 0))
	if err := json.Unmarshal(rest, &a); err != nil {
		return nil, err
	}
	out := &EmbedResponse{ID: a.ID, Object: a.Object, Model: a.Model, Usage: a.Usage}
	if n < 0 {
		n = len(a.Data)
	}
	if len(a.Data) != n {
		return nil, fmt.Errorf("%d vectors for %d inputs", len(a.Data), n)
	}
	out.Vectors = make([][]float32, n)
	var (
		slab []float32 // all vectors, one after the other
		size int       // of each
		buf  []byte
	)
	for i, d := range a.Data {
		at := i
		if d.Index.set {
			at = d.Index.at
		}
		if at < 0 || at >= n {
			return nil, fmt.Errorf("a vector has index %d, of %d inputs", at, n)
		}
		if out.Vectors[at] != nil {
			return nil, fmt.Errorf("two vectors have index %d", at)
		}
		value := d.Embedding.raw
		if cut := d.Embedding.cut; cut > 0 && cut <= len(cuts) {
			value, cuts[cut-1] = cuts[cut-1], nil
		}
		v := slab[len(slab):]
		var err error
		if v, buf, err = appendVector(v, value, buf); err != nil {
			return nil, fmt.Errorf("vector %d: %w", at, err)
		}
		switch {
		case len(v) == 0:
			return nil, fmt.Errorf("vector %d is empty", at)
		case i == 0: // its size is known now: one block for all
			size = len(v)
			slab = append(make([]float32, 0, size*n), v...)
			v = slab
		case len(v) != size:
			return nil, fmt.Errorf("vector %d has %d dimensions, another has %d", at, len(v), size)
		default:
			slab = slab[:len(slab)+size]
		}
		out.Vectors[at] = v[:size:size]
	}
	for _, cut := range cuts { // what no vector was made of must be JSON all the same
		if cut != nil && !json.Valid(cut) {
			return nil, errors.New(`a value of "embedding" is no JSON`)
		}
	}
	return out, nil
}

var embeddingKey = []byte(`"embedding"`)

// mark begins what stands for a cut vector. No base64 holds it.
const mark = '#'

// cutVectors replaces the value of each "embedding" that is a string without escapes, or an
// array, by a string of mark and its number. Everything else stays, so that encoding/json sees the
// structure as it is: a quote that this function takes for the start of a key is one, or the
// text before it makes the JSON invalid, cut or not. It cuts nothing where that could be mistaken.
//
// About n are expected.
func cutVectors(raw []byte, n int) (rest []byte, cuts [][]byte) {
	rest = make([]byte, 0, min(len(raw), 256+128*n))
	cuts = make([][]byte, 0, n)
	for left := raw; ; {
		i := bytes.Index(left, embeddingKey)
		if i < 0 {
			rest = append(rest, left...)
			if bytes.Count(rest, []byte{'"', mark}) != len(cuts) { // one is not ours
				return raw, nil
			}
			return rest, cuts
		}
		start := skipSpace(left, i+len(embeddingKey))
		if start < len(left) && left[start] == ':' {
			start = skipSpace(left, start+1)
		} else {
			start = len(left)
		}
		end := -1
		if start < len(left) {
			switch left[start] {
			case '"':
				end = bytes.IndexByte(left[start+1:], '"')
			case '[':
				end = bytes.IndexByte(left[start+1:], ']')
				if inside := left[start+1:]; end >= 0 && (bytes.IndexByte(inside[:end], '"') >= 0 || bytes.IndexByte(inside[:end], '[') >= 0) {
					end = -1 // this "]" may not be its end
				}
			}
		}
		if end < 0 {
			rest, left = append(rest, left[:i+len(embeddingKey)]...), left[i+len(embeddingKey):]
			continue
		}
		end += start + 2
		rest = append(rest, left[:start]...)
		rest = append(rest, '"', mark)
		cuts = append(cuts, left[start:end])
		rest = strconv.AppendInt(rest, int64(len(cuts)), 10)
		rest = append(rest, '"')
		left = left[end:]
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// appendVector appends a vector in either form: base64 of little-endian float32, or an array
// of numbers. buf is scratch space, returned to be used again.
func appendVector(dst []float32, value, buf []byte) ([]float32, []byte, error) {
	switch {
	case len(value) >= 2 && value[0] == '"':
		return appendBase64(dst, value, buf)
	case len(value) >= 2 && value[0] == '[':
		dst, err := appendFloats(dst, value)
		return dst, buf, err
	}
	return dst, buf, errors.New("it is neither base64 nor an array of numbers")
}

var errNotFinite = errors.New("it holds a number that is not finite")

func appendBase64(dst []float32, value, buf []byte) ([]float32, []byte, error) {
	text := value[1 : len(value)-1]
	if need := base64.StdEncoding.DecodedLen(len(text)); cap(buf) < need {
		buf = make([]byte, need)
	}
	n, err := base64.StdEncoding.Decode(buf[:cap(buf)], text)
	if err != nil || base64.StdEncoding.EncodedLen(n) != len(text) {
		// An escape such as "\/" is legal JSON, and no base64. A raw line end is not legal, and base64 skips it.
		var s string
		if err := json.Unmarshal(value, &s); err != nil {
			return dst, buf, err
		}
		if n, err = base64.StdEncoding.Decode(buf[:cap(buf)], []byte(s)); err != nil {
			return dst, buf, err
		}
	}
	if n%4 != 0 {
		return dst, buf, fmt.Errorf("its %d bytes are no float32 numbers", n)
	}
	at := len(dst)
	dst = slices.Grow(dst, n/4)[:at+n/4]
	const exponent = 0x7f800000 // all ones in a number that is not finite
	var carries uint32
	for b := buf[:n]; len(b) >= 4 && at < len(dst); b, at = b[4:], at+1 {
		bits := binary.LittleEndian.Uint32(b)
		carries |= bits&exponent + 1<<23
		dst[at] = math.Float32frombits(bits)
	}
	if carries>>31 != 0 {
		return dst, buf, errNotFinite
	}
	return dst, buf, nil
}

// appendFloats appends the numbers of a JSON array. It gives what encoding/json gives for a
// []float32, but that it refuses null, which encoding/json takes for zero.
func appendFloats(dst []float32, value []byte) ([]float32, error) {
	i := skipSpace(value, 1)
	if i < len(value) && value[i] == ']' && i+1 == len(value) {
		return dst, nil
	}
	for {
		f, next, ok := parseFloat32(value, i)
		if !ok {
			return appendFloatsSlowly(dst, value)
		}
		dst = append(dst, f)
		i = skipSpace(value, next)
		switch {
		case i < len(value) && value[i] == ',':
			i = skipSpace(value, i+1)
		case i+1 == len(value) && value[i] == ']':
			return dst, nil
		default:
			return appendFloatsSlowly(dst, value)
		}
	}
}

func appendFloatsSlowly(dst []float32, value []byte) ([]float32, error) {
	var numbers []*float32
	if err := json.Unmarshal(value, &numbers); err != nil {
		return dst, err
	}
	dst = dst[:0]
	for _, f := range numbers {
		if f == nil {
			return dst, errNotFinite
		}
		dst = append(dst, *f)
	}
	return dst, nil
}

// eightDigits is the number that the first eight bytes make, if they are digits, by pairs, fours and all eight at once.
func eightDigits(b []byte) (uint64, bool) {
	v := binary.LittleEndian.Uint64(b) - 0x3030303030303030
	if (v|(v+0x7676767676767676))&0x8080808080808080 != 0 {
		return 0, false
	}
	v = (v*10 + v>>8) & 0x00ff00ff00ff00ff
	v = (v*100 + v>>16) & 0x0000ffff0000ffff
	return v*10000&0xffffffff + v>>32, true
}

// powersOf10 are those that a float64 holds exactly.
var powersOf10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// parseFloat32 parses the JSON number at b[i], bit for bit as strconv.ParseFloat does, or
// reports that it is none, or too large.
//
// Up to 19 digits are one integer, and one multiplication or division by a power of ten makes
// a float64 of it that is wrong by at most a few units in its last place. That is 29 bits below
// the last place of a float32: only where those 29 bits are near the half, or the number is not
// a normal float32, can rounding go wrong, and strconv decides.
func parseFloat32(b []byte, i int) (f float32, next int, ok bool) {
	start := i
	negative := i < len(b) && b[i] == '-'
	if negative {
		i++
	}
	var (
		mantissa uint64
		digits   int
		exponent int
	)
	first := i
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		if digits < 19 {
			mantissa = mantissa*10 + uint64(b[i]-'0')
			if mantissa != 0 {
				digits++
			}
		} else {
			exponent++
		}
	}
	if i == first || b[first] == '0' && i > first+1 {
		return 0, 0, false
	}
	if i < len(b) && b[i] == '.' {
		i++
		first = i
		for ; mantissa == 0 && i < len(b) && b[i] == '0'; i++ {
			exponent--
		}
		for ; digits <= 11 && i+8 <= len(b); i += 8 {
			eight, ok := eightDigits(b[i:])
			if !ok {
				break
			}
			mantissa = mantissa*1e8 + eight
			exponent -= 8
			digits += 8
		}
		for ; i < len(b) && b[i]-'0' <= 9; i++ {
			if digits < 19 {
				mantissa = mantissa*10 + uint64(b[i]-'0')
				exponent--
				digits++
			}
		}
		if i == first {
			return 0, 0, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		sign := 1
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			if b[i] == '-' {
				sign = -1
			}
			i++
		}
		first = i
		e := 0
		for ; i < len(b) && b[i]-'0' <= 9; i++ {
			e = min(e*10+int(b[i]-'0'), 1<<20)
		}
		if i == first {
			return 0, 0, false
		}
		exponent += sign * e
	}
	if mantissa == 0 {
		if negative {
			return float32(math.Copysign(0, -1)), i, true
		}
		return 0, i, true
	}
	const top = len(powersOf10) - 1
	if exponent >= -top && exponent <= top {
		d := float64(mantissa)
		if exponent < 0 {
			d /= powersOf10[-exponent]
		} else {
			d *= powersOf10[exponent]
		}
		const half, near = 1 << 28, 16
		low := math.Float64bits(d) & (1<<29 - 1)
		if d >= 0x1p-126 && d < math.MaxFloat32 && (low < half-near || low > half+near) {
			if negative {
				d = -d
			}
			return float32(d), i, true
		}
	}
	d, err := strconv.ParseFloat(string(b[start:i]), 32)
	return float32(d), i, err == nil
}
