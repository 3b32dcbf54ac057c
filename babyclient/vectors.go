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

// An embedding answer is megabytes of vectors in a few hundred bytes of other JSON, and
// encoding/json is slow at vectors. So takeVectors takes the vectors out of the answer and puts a
// placeholder in the place of each; encoding/json decodes the rest; and each vector is decoded on
// its own.
//
// An example. The answer
//
//	{"data":[{"index":0,"embedding":[0.5,2]},{"index":1,"embedding":"AAAAPwAAAEA="}],"model":"m"}
//
// becomes the vectors [0.5,2] and "AAAAPwAAAEA=", and the rest
//
//	{"data":[{"index":0,"embedding":"#1"},{"index":1,"embedding":"#2"}],"model":"m"}

// placeholderMark begins the placeholder of a vector. No base64 holds it.
const placeholderMark = '#'

// embedAnswer is an embedding answer with placeholders for its vectors.
type embedAnswer struct {
	ID     string      `json:"id"`
	Object string      `json:"object"`
	Model  string      `json:"model"`
	Usage  *Usage      `json:"usage"`
	Data   []embedItem `json:"data"`

	vectors [][]float32 // in the order of the inputs
}

type embedItem struct {
	Index     optionalIndex `json:"index"`
	Embedding vectorValue   `json:"embedding"`
}

// optionalIndex is an index that may be absent. A *int would cost an allocation for each vector.
type optionalIndex struct {
	value   int
	isGiven bool
}

func (x *optionalIndex) UnmarshalJSON(b []byte) error {
	*x = optionalIndex{isGiven: string(b) != "null"}
	const safe = 9 // digits that cannot overflow
	if len(b) > safe {
		return x.readOdd(b)
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return x.readOdd(b)
		}
		x.value = x.value*10 + int(c-'0')
	}
	return nil
}

// readOdd reads an index that is not a few digits alone, such as "1" or 1.0.
func (x *optionalIndex) readOdd(b []byte) error {
	err := json.Unmarshal(b, &x.value)
	if index, ok := indexOf(b); err != nil && ok {
		x.value, err = index, nil
	}
	return err
}

// vectorValue is the number of a vector that was taken out, or the JSON of one that was not.
type vectorValue struct {
	placeholder int // its number, counted from 1; 0 for none
	raw         []byte
}

func (v *vectorValue) UnmarshalJSON(b []byte) error {
	*v = vectorValue{}
	if len(b) < 2 || b[0] != '"' || b[1] != placeholderMark {
		v.raw = bytes.Clone(b)
		return nil
	}
	for _, c := range b[2 : len(b)-1] {
		v.placeholder = v.placeholder*10 + int(c-'0')
	}
	return nil
}

// decodeEmbeddings decodes the answer for so many inputs, and brings the vectors into the order of
// the inputs. For inputs < 0 it takes as many vectors as there are.
func decodeEmbeddings(raw []byte, inputs int) (*embedAnswer, error) {
	rest, taken := takeVectors(raw, max(inputs, 0))
	decoded := embedAnswer{Data: make([]embedItem, 0, max(inputs, 0))}
	if err := unmarshalFitting(rest, &decoded, ""); err != nil {
		return nil, err
	}
	if inputs < 0 {
		inputs = len(decoded.Data)
	}
	if len(decoded.Data) != inputs {
		return nil, fmt.Errorf("%d vectors for %d inputs", len(decoded.Data), inputs)
	}
	decoded.vectors = make([][]float32, inputs)
	block := vectorBlock{count: inputs}
	for i, item := range decoded.Data {
		index := i
		if item.Index.isGiven {
			index = item.Index.value
		}
		if index < 0 || index >= inputs {
			return nil, fmt.Errorf("a vector has index %d, of %d inputs", index, inputs)
		}
		if decoded.vectors[index] != nil {
			return nil, fmt.Errorf("two vectors have index %d", index)
		}
		value := item.Embedding.raw
		if n := item.Embedding.placeholder; n > 0 && n <= len(taken) {
			value, taken[n-1] = taken[n-1], nil
		}
		vector, err := block.add(index, value)
		if err != nil {
			return nil, err
		}
		decoded.vectors[index] = vector
	}
	for _, unused := range taken {
		// The service put it where no vector belongs. It must be JSON all the same, as it must be
		// for encoding/json.
		if unused != nil && !json.Valid(unused) {
			return nil, errors.New(`a value of "embedding" is no JSON`)
		}
	}
	return &decoded, checkGeneration(rest)
}

// vectorBlock decodes vectors of one length into one block of memory, one after the other.
type vectorBlock struct {
	count   int // of the vectors that will be added
	numbers []float32
	length  int    // of each vector, 0 before the first
	scratch []byte // for decoding base64
}

// add decodes a vector. index is its place in the answer, for errors.
func (b *vectorBlock) add(index int, value []byte) (vector []float32, err error) {
	spare := b.numbers[len(b.numbers):] // append writes into the spare room of the block
	vector, b.scratch, err = appendVector(spare, value, b.scratch)
	switch {
	case err != nil:
		return nil, fmt.Errorf("vector %d: %w", index, err)
	case len(vector) == 0:
		return nil, fmt.Errorf("vector %d is empty", index)
	case b.length == 0: // now the length is known, and so the size of the block
		b.length = len(vector)
		b.numbers = append(make([]float32, 0, b.length*b.count), vector...)
		vector = b.numbers
	case len(vector) != b.length:
		return nil, fmt.Errorf("vector %d has %d dimensions, another has %d", index, len(vector), b.length)
	default: // appendVector has written it into the block
		b.numbers = b.numbers[:len(b.numbers)+b.length]
	}
	return vector[:b.length:b.length], nil
}

var embeddingKey = []byte(`"embedding"`)

// takeVectors replaces the value of each key "embedding" by a placeholder, if the value is a string
// without escapes or an array of numbers. About count vectors are expected.
//
// It searches for the key as text, without parsing. That is safe: inside a JSON string the key
// would stand as \"embedding\", with a backslash before each quote, so that the search does not
// find it. If the answer itself holds a text that looks like a placeholder, nothing is replaced.
func takeVectors(raw []byte, count int) (rest []byte, taken [][]byte) {
	rest = make([]byte, 0, min(len(raw), 256+128*count))
	taken = make([][]byte, 0, count)
	left := raw
	for {
		i := bytes.Index(left, embeddingKey)
		if i < 0 {
			break
		}
		afterKey := i + len(embeddingKey)
		start, end, ok := vectorAfter(left, afterKey)
		if !ok {
			rest, left = append(rest, left[:afterKey]...), left[afterKey:]
			continue
		}
		taken = append(taken, left[start:end])
		rest = append(rest, left[:start]...)
		rest = append(rest, '"', placeholderMark)
		rest = strconv.AppendInt(rest, int64(len(taken)), 10)
		rest = append(rest, '"')
		left = left[end:]
	}
	rest = append(rest, left...)
	if bytes.Count(rest, []byte{'"', placeholderMark}) != len(taken) {
		return raw, nil // the answer has such a text itself
	}
	return rest, taken
}

// vectorAfter finds the value of a key that ends at i: b[start:end]. ok is false unless it is a
// string without escapes or an array of numbers.
func vectorAfter(b []byte, i int) (start, end int, ok bool) {
	colon := skipSpace(b, i)
	if colon >= len(b) || b[colon] != ':' {
		return 0, 0, false
	}
	start = skipSpace(b, colon+1)
	if start >= len(b) {
		return 0, 0, false
	}
	inside := b[start+1:]
	length := -1
	switch b[start] {
	case '"':
		length = bytes.IndexByte(inside, '"')
	case '[':
		length = bytes.IndexByte(inside, ']')
		if length >= 0 && (bytes.IndexByte(inside[:length], '"') >= 0 || bytes.IndexByte(inside[:length], '[') >= 0) {
			return 0, 0, false // this "]" may not be the end of the array
		}
	}
	return start, start + 1 + length + 1, length >= 0
}

// appendVector appends a vector in either form: base64 of little-endian float32, or an array
// of numbers. It decodes base64 in scratch, and returns scratch to be used again.
func appendVector(dst []float32, value, scratch []byte) ([]float32, []byte, error) {
	switch {
	case len(value) >= 2 && value[0] == '"':
		return appendBase64(dst, value, scratch)
	case len(value) >= 2 && value[0] == '[':
		dst, err := appendFloats(dst, value)
		return dst, scratch, err
	}
	return dst, scratch, errors.New("it is neither base64 nor an array of numbers")
}

var errNotFinite = errors.New("it holds a number that is not finite")

func appendBase64(dst []float32, value, scratch []byte) ([]float32, []byte, error) {
	text := value[1 : len(value)-1]
	if need := base64.StdEncoding.DecodedLen(len(text)); cap(scratch) < need {
		scratch = make([]byte, need)
	}
	n, err := base64.StdEncoding.Decode(scratch[:cap(scratch)], text)
	if err != nil || base64.StdEncoding.EncodedLen(n) != len(text) {
		// JSON allows an escape such as "\/", which is no base64. It does not allow a raw line end,
		// which base64 skips. encoding/json tells the two apart.
		var s string
		if err := json.Unmarshal(value, &s); err != nil {
			return dst, scratch, err
		}
		if n, err = base64.StdEncoding.Decode(scratch[:cap(scratch)], []byte(s)); err != nil {
			return dst, scratch, err
		}
	}
	if n%4 != 0 {
		return dst, scratch, fmt.Errorf("its %d bytes are no float32 numbers", n)
	}
	i := len(dst)
	dst = slices.Grow(dst, n/4)[:i+n/4]
	// A number that is not finite has ones in all eight bits of its exponent. Adding one to the
	// lowest of them makes 0x7f800000 + 0x00800000 = 0x80000000; for any finite number the sum
	// stays below that. So its highest bit tells, and all are looked at together after the loop.
	const exponent, lowestExponentBit, sign = 0x7f800000, 1 << 23, 1 << 31
	var carries uint32
	for b := scratch[:n]; len(b) >= 4 && i < len(dst); b, i = b[4:], i+1 {
		bits := binary.LittleEndian.Uint32(b)
		carries |= (bits & exponent) + lowestExponentBit
		dst[i] = math.Float32frombits(bits)
	}
	if carries&sign != 0 {
		return dst, scratch, errNotFinite
	}
	return dst, scratch, nil
}

// appendFloats appends the numbers of a JSON array. It gives what encoding/json gives for a
// []float32, except that it refuses null, which encoding/json takes for zero.
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

// appendFloatsSlowly does the same with encoding/json.
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
