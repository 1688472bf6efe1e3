package redraw

import "bytes"

// maxSeq bounds how much of a sequence is kept while its end has not come. No
// program sends a longer one; it is taken for one without effect.
const maxSeq = 128

// phase is what the stream is in the middle of.
type phase uint8

const (
	ground     phase = iota
	escape           // behind ESC and perhaps intermediate bytes
	control          // behind CSI
	badControl       // in a control sequence without effect
	deviceHead       // behind DCS, before its final byte
	command          // in an operating system command (OSC)
	device           // in the data of a device control string (DCS)
	other            // in an SOS, PM or APC string
)

const (
	bel = 0x07
	so  = 0x0e
	si  = 0x0f
	can = 0x18
	sub = 0x1a
	esc = 0x1b
	del = 0x7f
)

// Feed takes the next bytes of the stream.
func (s *State) Feed(p []byte) {
	whole := len(p) - halfRune(p)
	next := -1 // the next ESC, when not before at
	for at := 0; at < len(p); {
		switch {
		case s.runeLen > 0 || at >= whole:
		case s.phase == ground:
			if next < at {
				if next = bytes.IndexByte(p[at:whole], esc); next < 0 {
					next = whole
				} else {
					next += at
				}
			}
			at += s.plain(p[at:next])
			if n := s.control(p[at:whole]); n > 0 {
				at += n
				continue
			}
		case s.phase >= command:
			at += inString(p[at:whole])
		}
		if at < len(p) {
			s.step(p[at])
			at++
		}
	}
}

// plain takes what has no ESC in it, up to a control of two bytes (C1).
func (s *State) plain(p []byte) int {
	for at := 0; ; at++ {
		n := bytes.IndexByte(p[at:], 0xc2)
		if n < 0 {
			break
		}
		if at += n; at+1 < len(p) && p[at+1] < 0xa0 {
			p = p[:at]
			break
		}
	}
	if bytes.IndexByte(p, so) >= 0 || bytes.IndexByte(p, si) >= 0 {
		s.level = 0
		if bytes.LastIndexByte(p, so) > bytes.LastIndexByte(p, si) {
			s.level = 1
		}
	}
	return len(p)
}

// control takes one control sequence, if p begins with one that is whole and holds
// nothing strange.
func (s *State) control(p []byte) int {
	if len(p) < 3 || p[0] != esc || p[1] != '[' {
		return 0
	}
	for i, c := range p[2:min(len(p), maxSeq)] {
		if c >= 0x20 && c < 0x40 {
			continue
		}
		if c < 0x40 || c >= del {
			return 0
		}
		s.csi(p[2:2+i], c)
		return i + 3
	}
	return 0
}

// inString counts the bytes that leave a string as it is.
func inString(p []byte) int {
	for i, c := range p {
		if c < 0x20 || c >= 0x80 {
			return i
		}
	}
	return len(p)
}

// halfRune counts the bytes at the end of p that begin a character.
func halfRune(p []byte) int {
	for n := 1; n <= min(3, len(p)); n++ {
		if c := p[len(p)-n]; c >= 0xc0 {
			if runeSize(c) > n {
				return n
			}
			break
		} else if c < 0x80 {
			break
		}
	}
	return 0
}

// runeSize is how many bytes a character has that begins with c.
func runeSize(c byte) int {
	switch {
	case c >= 0xf8:
		return 0
	case c >= 0xf0:
		return 4
	case c >= 0xe0:
		return 3
	}
	return 2
}

// step takes one byte.
func (s *State) step(c byte) {
	if s.runeLen > 0 {
		if c&0xc0 == 0x80 {
			s.char[s.runeLen] = c
			s.runeLen++
			if int(s.runeLen) == runeSize(s.char[0]) {
				s.runeLen = 0
				s.wide()
			}
			return
		}
		s.runeLen = 0 // what is not whole is nothing
	}
	switch {
	case c < 0x80:
		s.narrow(c)
	case c >= 0xc0 && runeSize(c) > 0:
		s.char[0], s.runeLen = c, 1
	}
}

// wide takes the character in s.char, which is not ASCII.
func (s *State) wide() {
	r := s.char
	switch {
	case r[0] < 0xc2, r[0] == 0xe0 && r[1] < 0xa0, r[0] == 0xf0 && r[1] < 0x90,
		r[0] == 0xed && r[1] >= 0xa0, r[0] == 0xf4 && r[1] >= 0x90, r[0] > 0xf4,
		r[0] == 0xef && r[1] == 0xbb && r[2] == 0xbf:
		return // overlong, a surrogate, too large, a byte order mark: nothing
	case r[0] == 0xc2 && r[1] < 0xa0:
		switch r[1] {
		case 0x90:
			s.begin(deviceHead, 'P')
		case 0x9b:
			s.begin(control, '[')
		case 0x9d:
			s.begin(command, ']')
		case 0x98, 0x9e, 0x9f:
			s.begin(other, '_')
		default:
			s.ground()
		}
	case s.phase == escape, s.phase == control, s.phase == deviceHead, s.phase == other:
		s.ground()
	}
}

// begin is at the start of a sequence that 7-bit terminals know as ESC and opener.
func (s *State) begin(p phase, opener byte) {
	s.phase, s.seqLen = p, 2
	s.seq[0], s.seq[1] = esc, opener
}

// narrow takes an ASCII character.
func (s *State) narrow(c byte) {
	switch c {
	case can, sub:
		s.ground()
		return
	case esc:
		s.phase, s.seqLen, s.seq[0] = escape, 1, esc
		return
	case so, si:
		if s.phase <= badControl {
			s.level = si - c
		}
		return
	case bel:
		if s.phase == command {
			s.ground()
		}
		return
	}
	if c < 0x20 || c == del {
		return
	}
	switch s.phase {
	case escape:
		s.inEscape(c)
	case control:
		switch last := s.seq[s.seqLen-1]; {
		case c >= 0x40:
			text := s.seq[2:s.seqLen]
			s.ground()
			s.csi(text, c)
		case c >= '<' && s.seqLen > 2, c >= '0' && s.seqLen > 2 && last < '0':
			s.phase = badControl
		default:
			s.collect(c, badControl)
		}
	case badControl:
		if c >= 0x40 {
			s.ground()
		}
	case deviceHead:
		if c >= 0x40 {
			s.phase = device
		} else {
			s.collect(c, device)
		}
	}
}

func (s *State) inEscape(c byte) {
	switch {
	case c < 0x30:
		s.collect(c, badControl)
		return
	case s.seqLen > 1:
		intermediate := s.seq[1]
		if s.seqLen > 2 {
			intermediate = 1
		}
		s.ground()
		s.esc(intermediate, c)
		return
	}
	switch c {
	case '[':
		s.begin(control, c)
	case ']':
		s.begin(command, c)
	case 'P':
		s.begin(deviceHead, c)
	case 'X', '^', '_':
		s.begin(other, '_')
	default:
		s.ground()
		s.esc(0, c)
	}
}

// collect keeps a byte of a sequence. One that is too long is in phase long.
func (s *State) collect(c byte, long phase) {
	if int(s.seqLen) == maxSeq {
		s.phase = long
		return
	}
	s.seq[s.seqLen] = c
	s.seqLen++
}
