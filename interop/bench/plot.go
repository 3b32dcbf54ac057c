package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// curve is one kind of growing work in a plot.
type curve struct {
	name, colour string
	points       []result
}

// plot draws memory and CPU over the number of items, as SVG. The axes of the items are
// logarithmic, the others begin at zero.
func (r *run) plot() string {
	curves := []curve{
		{"embedding through the provider", "#1565c0", nil},
		{"documents through ConvertAll", "#c62828", nil},
	}
	for i, g := range growths {
		for _, n := range r.steps(g.work) {
			curves[i].points = append(curves[i].points, r.results[key(g.work, strconv.Itoa(n))])
		}
	}
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" width="820" height="320" viewBox="0 0 820 320"` +
		` font-family="sans-serif" font-size="12">` + "\n")
	b.WriteString(`<rect width="820" height="320" fill="white"/>` + "\n")
	mebibytes := func(p result) float64 { return p[liveBytes] / (1 << 20) }
	microseconds := func(p result) float64 { return p[cpuNs] / 1e3 }
	drawPanel(&b, 60, "live memory beyond items and results (MiB)", curves, mebibytes)
	drawPanel(&b, 470, "CPU of the client for each item (µs)", curves, microseconds)
	for i, c := range curves {
		left := 60 + i*380
		fmt.Fprintf(&b, `<rect x="%d" y="296" width="12" height="12" fill="%s"/>`, left, c.colour)
		fmt.Fprintf(&b, `<text x="%d" y="306">%s</text>`+"\n", left+18, c.name)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func drawPanel(b *strings.Builder, left int, title string, curves []curve, value func(result) float64) {
	const width, top, height = 320, 40, 200
	low, high, most := math.Inf(1), math.Inf(-1), 0.0
	for _, c := range curves {
		for _, p := range c.points {
			x := math.Log10(p[itemCount])
			low, high, most = min(low, x), max(high, x), max(most, value(p))
		}
	}
	if high == low {
		high++
	}
	step := math.Pow(10, math.Floor(math.Log10(max(most, 1e-9)))) // between two lines of the grid
	for most/step < 3 {
		step /= 2
	}
	ceiling := step * math.Ceil(most/step*1.1)
	x := func(n float64) float64 { return float64(left) + width*(math.Log10(n)-low)/(high-low) }
	y := func(v float64) float64 { return top + height*(1-v/ceiling) }

	fmt.Fprintf(b, `<text x="%d" y="24" font-weight="bold">%s</text>`+"\n", left, title)
	for v := 0.0; v <= ceiling*1.0001; v += step {
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/>`, left, left+width, y(v), y(v))
		fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end">%.3g</text>`+"\n", left-6, y(v)+4, v)
	}
	for e := math.Ceil(low); e <= high; e++ {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">10%s</text>`+"\n",
			x(math.Pow(10, e)), top+height+18, strings.Map(superscript, fmt.Sprint(e)))
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">items</text>`+"\n", left+width/2, top+height+36)
	for _, c := range curves {
		var path []string
		for _, p := range c.points {
			px, py := x(p[itemCount]), y(value(p))
			path = append(path, fmt.Sprintf("%.1f,%.1f", px, py))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", px, py, c.colour)
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n",
			strings.Join(path, " "), c.colour)
	}
}

func superscript(r rune) rune { return []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[r-'0'] }
