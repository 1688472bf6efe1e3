package redraw

const (
	maxParams = 32
	maxNumber = 1<<31 - 1
)

// params are those of a control sequence. There is always one, 0 if none is given.
type params struct {
	prefix       byte // one of <=>? or 0
	intermediate byte // 0 for none, 1 for more than one
	n            int
	values       [maxParams]int32
	first        [maxParams + 1]uint8 // of the sub-parameters of each
	sub          [maxParams]int32     // behind colons; -1 when empty
}

// parse reads text; false when no terminal would act on it.
func (p *params) parse(text []byte) bool {
	p.n = 1
	subs := uint8(0)
	at := &p.values[0] // where digits go; nil for nowhere
	for i, c := range text {
		switch {
		case c >= '<':
			if i > 0 {
				return false
			}
			p.prefix = c
		case c < '0':
			if p.intermediate != 0 {
				c = 1
			}
			p.intermediate = c
		case p.intermediate != 0:
			return false
		case c == ';':
			if at = nil; p.n < maxParams {
				p.first[p.n] = subs
				at = &p.values[p.n]
				p.n++
			}
		case c == ':':
			if at = nil; subs < maxParams {
				p.sub[subs] = -1
				at = &p.sub[subs]
				subs++
			}
		case at != nil:
			*at = int32(min(max(int64(*at), 0)*10+int64(c-'0'), maxNumber))
		}
	}
	p.first[p.n] = subs
	return true
}

func (p *params) subs(i int) []int32 { return p.sub[p.first[i]:p.first[i+1]] }

// colour reads the colour of SGR 38, 48 or 58 at i, in all the ways in which
// people write it: 38;5;n 38:5:n 38;2;r;g;b 38:2:r:g:b 38:2::r:g:b. The advance is
// how many parameters it took beside the first.
func (p *params) colour(i int) (c colour, ok bool, advance int) {
	// target, kind, colour space, then three values
	all := [6]int32{0, 0, -1, 0, 0, 0}
	space := 0
	for {
		all[advance+space] = p.values[i+advance]
		if subs := p.subs(i + advance); len(subs) > 0 {
			for k, v := range subs {
				if all[1] == 5 {
					space = 1
				}
				at := advance + k + 1 + space
				if at >= len(all) {
					break
				}
				all[at] = v
			}
			break
		}
		if kind, at := all[1], advance+space; kind == 5 && at >= 2 || kind == 2 && at >= 5 {
			break
		}
		if all[1] != 0 {
			space = 1
		}
		advance++
		if i+advance >= p.n || advance+space >= len(all) {
			break
		}
	}
	value := func(n int) colour { return colour(max(0, all[n])) & 0xff }
	switch all[1] {
	case 2:
		return rgb | value(3)<<16 | value(4)<<8 | value(5), true, advance
	case 5:
		return palette | value(3), true, advance
	}
	return 0, false, advance
}
