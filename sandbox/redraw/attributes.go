package redraw

import "strconv"

// colour is 0 for the default one; else its kind, and what that says.
type colour uint32

const (
	basic   colour = (iota + 1) << 24 // one of 16
	palette                           // one of 256
	rgb
)

// Attributes that are on or off, as bits by their SGR number; 6 is none.
const (
	underlined = 1 << 4
	overlined  = 1 << 10
)

// attributes are how characters look that are printed next.
type attributes struct {
	flags        uint16
	underline    uint8 // its style
	fg, bg, line colour
}

// apply acts on SGR, as xterm.js does.
func (a *attributes) apply(p *params) {
	for i := 0; i < p.n; i++ {
		switch n := p.values[i]; {
		case n == 0:
			*a = attributes{}
		case n == 4:
			style := int32(1)
			if sub := p.subs(i); len(sub) > 0 {
				style = sub[0]
			}
			a.setUnderline(style)
		case n >= 1 && n <= 9 && n != 6:
			a.flags |= 1 << n
		case n == 21:
			a.setUnderline(2)
		case n == 22:
			a.flags &^= 1<<1 | 1<<2
		case n == 24:
			a.setUnderline(0)
		case n >= 23 && n <= 29 && n != 26:
			a.flags &^= 1 << (n - 20)
		case n >= 30 && n <= 37:
			a.fg = basic | colour(n-30)
		case n == 39:
			a.fg = 0
		case n >= 40 && n <= 47:
			a.bg = basic | colour(n-40)
		case n == 49:
			a.bg = 0
		case n == 38, n == 48, n == 58:
			c, ok, advance := p.colour(i)
			i += advance
			switch {
			case !ok:
			case n == 38:
				a.fg = c
			case n == 48:
				a.bg = c
			default:
				a.line = c
			}
		case n == 53:
			a.flags |= overlined
		case n == 55:
			a.flags &^= overlined
		case n == 59:
			a.line = 0
		case n >= 90 && n <= 97:
			a.fg = basic | colour(n-90+8)
		case n >= 100 && n <= 107:
			a.bg = basic | colour(n-100+8)
		}
	}
}

func (a *attributes) setUnderline(style int32) {
	if style < 0 || style > 5 {
		style = 1
	}
	a.underline = uint8(style)
	a.flags &^= underlined
	if style != 0 {
		a.flags |= underlined
	}
}

// append puts the SGR that makes a of the default attributes behind dst.
func (a *attributes) append(dst []byte) []byte {
	if *a == (attributes{}) {
		return dst
	}
	dst = append(dst, "\x1b["...)
	for n := range 11 {
		switch {
		case a.flags&(1<<n) == 0:
		case n == 4:
			dst = append(dst, ";4:"...)
			dst = strconv.AppendInt(dst, int64(max(1, a.underline)), 10)
		case n == 10:
			dst = append(dst, ";53"...)
		default:
			dst = append(dst, ';')
			dst = strconv.AppendInt(dst, int64(n), 10)
		}
	}
	dst = a.fg.append(dst, 30)
	dst = a.bg.append(dst, 40)
	dst = a.line.append(dst, 50)
	return append(dst, 'm')
}

func (c colour) append(dst []byte, base int64) []byte {
	number := func(n int64) {
		dst = append(dst, ';')
		dst = strconv.AppendInt(dst, n, 10)
	}
	value := int64(c & 0xffffff)
	switch c &^ 0xffffff {
	case basic:
		if value >= 8 {
			base += 60 - 8
		}
		number(base + value)
	case palette:
		number(base + 8)
		number(5)
		number(value)
	case rgb:
		number(base + 8)
		number(2)
		number(value >> 16)
		number(value >> 8 & 0xff)
		number(value & 0xff)
	}
	return dst
}
