package main

import (
	"fmt"
	"math"
	"strings"
)

// line is one curve of a plot.
type line struct {
	name   string
	colour string
	points []growth
}

// plot draws memory and CPU over the number of items, as SVG. Both axes of x are logarithmic, those of y begin at zero.
func plot(lines []line) string {
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" width="820" height="320" viewBox="0 0 820 320" font-family="sans-serif" font-size="12">` + "\n")
	b.WriteString(`<rect width="820" height="320" fill="white"/>` + "\n")
	panel(&b, 60, "live memory beyond items and results (MiB)", lines, func(g growth) float64 { return g.Memory / (1 << 20) })
	panel(&b, 470, "CPU of the client for each item (µs)", lines, func(g growth) float64 { return float64(g.CPU.Nanoseconds()) / 1e3 })
	for i, l := range lines {
		fmt.Fprintf(&b, `<rect x="%d" y="296" width="12" height="12" fill="%s"/><text x="%d" y="306">%s</text>`+"\n", 60+i*380, l.colour, 78+i*380, l.name)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func panel(b *strings.Builder, left int, title string, lines []line, value func(growth) float64) {
	const width, top, height = 320, 40, 200
	low, high, most := math.Inf(1), math.Inf(-1), 0.0
	for _, l := range lines {
		for _, g := range l.points {
			x := math.Log10(float64(g.N))
			low, high, most = min(low, x), max(high, x), max(most, value(g))
		}
	}
	if high == low {
		high++
	}
	step := math.Pow(10, math.Floor(math.Log10(max(most, 1e-9))))
	for most/step < 3 {
		step /= 2
	}
	ceiling := step * math.Ceil(most/step*1.1)
	at := func(n int, v float64) (x, y float64) {
		return float64(left) + width*(math.Log10(float64(n))-low)/(high-low), top + height*(1-v/ceiling)
	}
	fmt.Fprintf(b, `<text x="%d" y="24" font-weight="bold">%s</text>`+"\n", left, title)
	for v := 0.0; v <= ceiling*1.0001; v += step {
		_, y := at(1, v)
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%.3g</text>`+"\n", left, left+width, y, y, left-6, y+4, v)
	}
	for e := math.Ceil(low); e <= high; e++ {
		x, _ := at(int(math.Pow(10, e)), 0)
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">10%s</text>`+"\n", x, top+height+18, strings.Map(superscript, fmt.Sprint(e)))
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">items</text>`+"\n", left+width/2, top+height+36)
	for _, l := range lines {
		var path []string
		for _, g := range l.points {
			x, y := at(g.N, value(g))
			path = append(path, fmt.Sprintf("%.1f,%.1f", x, y))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", x, y, l.colour)
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(path, " "), l.colour)
	}
}

func superscript(r rune) rune {
	return []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[r-'0']
}
