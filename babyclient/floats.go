package babyclient

import (
	"encoding/binary"
	"math"
	"strconv"
)

// This file parses float32 numbers five times as fast as encoding/json, for embeddings that come as
// JSON. strconv.ParseFloat decides whatever it declines, so both always agree bit for bit.
//
// An example: -0.0123e2.
//
//  1. scanDecimal reads it as the integer 123 and the power of ten 10^-2, negative.
//  2. toFloat32 divides 123 by 10^2 as float64, and rounds to float32.

// decimal is a number as it is written: mantissa × 10^exponent.
type decimal struct {
	isNegative bool
	mantissa   uint64
	exponent   int
}

// parseFloat32 parses the JSON number that begins at b[i]. next is the index after it. ok is false
// if it is no JSON number, or too large for a float32.
func parseFloat32(b []byte, i int) (f float32, next int, ok bool) {
	d, next, ok := scanDecimal(b, i)
	if !ok {
		return 0, 0, false
	}
	if f, ok := d.toFloat32(); ok {
		return f, next, true
	}
	slow, err := strconv.ParseFloat(string(b[i:next]), 32)
	return float32(slow), next, err == nil
}

// maxDigits of a mantissa always fit a uint64. Later digits are dropped; before the point, each
// raises the exponent. They change the number by less than one part in 10^18. toFloat32 notices
// that only near the half between two float32 numbers, and then it declines.
const maxDigits = 19

// isDigit is one comparison: a byte below "0" wraps round to a large number.
func isDigit(c byte) bool { return c-'0' <= 9 }

// scanDecimal reads a number by the grammar of JSON. ok is false for anything else.
func scanDecimal(b []byte, i int) (d decimal, next int, ok bool) {
	if i < len(b) && b[i] == '-' {
		d.isNegative = true
		i++
	}
	digits := 0 // of the mantissa, leading zeros not counted
	start := i
	for ; i < len(b) && isDigit(b[i]); i++ {
		if digits == maxDigits {
			d.exponent++
			continue
		}
		d.mantissa = d.mantissa*10 + uint64(b[i]-'0')
		if d.mantissa != 0 {
			digits++
		}
	}
	hasLeadingZero := i > start+1 && b[start] == '0'
	if i == start || hasLeadingZero {
		return d, 0, false
	}
	if i < len(b) && b[i] == '.' {
		i++
		start = i
		for ; d.mantissa == 0 && i < len(b) && b[i] == '0'; i++ {
			d.exponent--
		}
		for ; digits <= maxDigits-8 && i+8 <= len(b); i += 8 {
			eight, ok := eightDigits(b[i:])
			if !ok {
				break
			}
			d.mantissa = d.mantissa*1e8 + eight
			d.exponent -= 8
			digits += 8
		}
		for ; i < len(b) && isDigit(b[i]); i++ {
			if digits < maxDigits {
				d.mantissa = d.mantissa*10 + uint64(b[i]-'0')
				d.exponent--
				digits++
			}
		}
		if i == start {
			return d, 0, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		exponent, after, ok := scanExponent(b, i+1)
		if !ok {
			return d, 0, false
		}
		d.exponent += exponent
		i = after
	}
	return d, i, true
}

// scanExponent reads what follows the letter e of a number.
func scanExponent(b []byte, i int) (exponent, next int, ok bool) {
	isNegative := i < len(b) && b[i] == '-'
	if isNegative || i < len(b) && b[i] == '+' {
		i++
	}
	start := i
	for ; i < len(b) && isDigit(b[i]); i++ {
		const most = 1 << 20 // far beyond any float32, and far from an overflow
		exponent = min(exponent*10+int(b[i]-'0'), most)
	}
	if isNegative {
		exponent = -exponent
	}
	return exponent, i, i > start
}

// eightDigits is the number that the first eight bytes of b spell, if all of them are digits. It
// works on all eight bytes of a word at once: for "12345678" it makes pairs (12, 34, 56, 78), then
// fours (1234, 5678), then the number.
func eightDigits(b []byte) (uint64, bool) {
	v := binary.LittleEndian.Uint64(b) - 0x3030303030303030 // "0" is 0x30
	// A byte that was below "0" has its top bit set; one above 9 gets it: 0x0a + 0x76 = 0x80.
	if (v|(v+0x7676767676767676))&0x8080808080808080 != 0 {
		return 0, false
	}
	v = (v*10 + v>>8) & 0x00ff00ff00ff00ff
	v = (v*100 + v>>16) & 0x0000ffff0000ffff
	return v*10000&0xffffffff + v>>32, true
}

// powersOf10 are those that a float64 holds exactly.
var powersOf10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// toFloat32 declines a number unless it is sure of every bit.
//
// One multiplication or division by an exact power of ten makes a float64 that is wrong by at most
// a few units in its last place. A float64 has 29 bits more than a float32. So rounding to float32
// can only go wrong if those 29 bits are near the half between two float32 numbers, or if the
// result is no normal float32.
func (d decimal) toFloat32() (f float32, ok bool) {
	if d.mantissa == 0 {
		if d.isNegative {
			return float32(math.Copysign(0, -1)), true
		}
		return 0, true
	}
	const most = len(powersOf10) - 1
	if d.exponent < -most || d.exponent > most {
		return 0, false
	}
	wide := float64(d.mantissa)
	if d.exponent < 0 {
		wide /= powersOf10[-d.exponent]
	} else {
		wide *= powersOf10[d.exponent]
	}
	const (
		smallestNormal = 0x1p-126
		half           = 1 << 28
		near           = 16 // more than the few units that wide can be wrong by
	)
	surplus := math.Float64bits(wide) & (1<<29 - 1) // the 29 bits
	isNearHalf := surplus >= half-near && surplus <= half+near
	if wide < smallestNormal || wide >= math.MaxFloat32 || isNearHalf {
		return 0, false
	}
	if d.isNegative {
		wide = -wide
	}
	return float32(wide), true
}
