package sandbox

import "bytes"

// maxOSC is how much of one operating system command (OSC) is kept: a command
// line of journalLine bytes, each escaped as four, and the words around it. What
// goes beyond is read over.
const maxOSC = 4*journalLine + 64

const (
	bel = 0x07
	esc = 0x1b
)

// oscState is where in a terminal's output an oscScanner stands.
type oscState int

const (
	oscGround oscState = iota
	oscEscape          // behind an ESC
	oscText            // behind ESC ], the start of an OSC
	oscEnding          // behind an ESC in its text, which ends it whatever follows
)

// oscScanner finds the OSC sequences in a terminal's output, which may be cut into
// reads anywhere. The zero value is ready.
type oscScanner struct {
	state oscState
	text  []byte
}

// next takes n bytes off the front of p, which is not empty; n can be 0, then the
// state has changed. The bytes of plain belong to no OSC. If they ended one, text
// is not nil and valid until the next call.
func (s *oscScanner) next(p []byte) (plain, text []byte, n int) {
	switch s.state {
	case oscEscape:
		if p[0] != ']' {
			s.state = oscGround
			return []byte{esc}, nil, 0
		}
		s.state = oscText
		s.text = append(s.text[:0], "]"...)
		return nil, nil, 1
	case oscText:
		end := bytes.IndexAny(p, "\x07\x18\x1a\x1b")
		if end < 0 {
			s.keep(p)
			return nil, nil, len(p)
		}
		s.keep(p[:end])
		switch p[end] {
		case esc:
			s.state = oscEnding
		case bel:
			s.state = oscGround
			text = s.text[1:]
		default: // CAN and SUB call it off
			s.state = oscGround
		}
		return nil, text, end + 1
	case oscEnding:
		if p[0] == '\\' {
			s.state = oscGround
			return nil, s.text[1:], 1
		}
		s.state = oscEscape
		return nil, s.text[1:], 0
	}
	at := bytes.IndexByte(p, esc)
	if at < 0 {
		return p, nil, len(p)
	}
	s.state = oscEscape
	return p[:at], nil, at + 1
}

func (s *oscScanner) keep(p []byte) {
	s.text = append(s.text, p[:min(len(p), maxOSC-len(s.text))]...)
}
