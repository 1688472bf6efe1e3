package redraw

// mode is a mode that is on or off, as a bit.
type mode uint16

const (
	cursorKeys mode = 1 << iota
	origin
	noWrap
	blinking
	hidden
	reverseWrap
	keypad
	focus
	paste
	synchronized
	insert
	newline
)

// softModes are those that a soft reset takes back.
const softModes = ^(blinking | newline)

// private are the modes of CSI ? n h and l, in the order in which a prefix says
// them. Those that are on by nature are kept as their opposite.
var private = [...]struct {
	number int32
	mode
	opposite bool
}{
	{1, cursorKeys, false},
	{6, origin, false},
	{7, noWrap, true},
	{12, blinking, false},
	{25, hidden, true},
	{45, reverseWrap, false},
	{66, keypad, false},
	{1004, focus, false},
	{2004, paste, false},
	{2026, synchronized, false},
}

// screen is what the normal and the alternate screen have each of their own.
type screen struct {
	top, bottom int32 // scroll region; 0 and 0 for all
	saved       attributes
}

// State is where a stream of terminal output stands. The zero value is its start.
type State struct {
	modes    mode
	alt      bool
	mouse    int32 // mode of mouse reports; 0 for none
	encoding int32 // of mouse reports: 1006, 1016 or 0
	cursor   uint8 // style of the cursor
	level    uint8 // which of the character sets is in use
	sets     [4]byte
	attributes
	screens [2]screen

	phase   phase
	seqLen  uint8
	runeLen uint8
	char    [4]byte      // a character that is not whole yet
	seq     [maxSeq]byte // a sequence that is not whole yet
}

// FullScreen says whether a program seems to have the whole screen to itself.
func (s *State) FullScreen() bool {
	return s.alt || s.modes&(cursorKeys|keypad|hidden) != 0 || s.mouse != 0 || s.screen().top != 0
}

// Cut says that bytes are missing here. The modes are believed to be as before.
func (s *State) Cut() { s.ground() }

func (s *State) ground() { s.phase, s.seqLen, s.runeLen = ground, 0, 0 }

func (s *State) screen() *screen {
	if s.alt {
		return &s.screens[1]
	}
	return &s.screens[0]
}

func (s *State) save() { s.screen().saved = s.attributes }

// restore takes back the saved attributes, but for the looks of the underline.
func (s *State) restore() {
	style, colour := s.underline, s.line
	s.attributes = s.screen().saved
	s.underline, s.line = style, colour
}

func (s *State) softReset() {
	s.modes &^= softModes
	s.cursor, s.level, s.sets, s.attributes = 0, 0, [4]byte{}, attributes{}
	*s.screen() = screen{}
}

func (s *State) set(m mode, on bool) {
	if on {
		s.modes |= m
	} else {
		s.modes &^= m
	}
}

// esc acts on an escape sequence of at most one intermediate byte, or 0.
func (s *State) esc(intermediate, final byte) {
	switch intermediate {
	case 0:
		switch final {
		case '7':
			s.save()
		case '8':
			s.restore()
		case '=', '>':
			s.set(keypad, final == '=')
		case 'c':
			*s = State{modes: s.modes &^ softModes}
		case 'n', '}':
			s.level = 2
		case 'o', '|':
			s.level = 3
		case '~':
			s.level = 1
		}
	case '%':
		if final == '@' || final == 'G' {
			s.level, s.sets[0] = 0, 0
		}
	case '(', ')', '*', '+', '-', '.':
		if set, ok := charset(final); ok {
			s.sets[[...]uint8{0, 1, 2, 3, 0, 1, 2}[intermediate-'(']] = set
		}
	}
}

// charset returns 0 for the usual set; false for one that there is not.
func charset(final byte) (byte, bool) {
	switch final {
	case 'B':
		return 0, true
	case '0', 'A', '4', 'C', '5', 'R', 'Q', 'K', 'Y', 'E', '6', 'Z', 'H', '7', '=':
		return final, true
	}
	return 0, false
}

// csi acts on a control sequence: what stands between its CSI and its final byte.
func (s *State) csi(text []byte, final byte) {
	switch final {
	case 'm', 'h', 'l', 'r', 's', 'u', 'p', 'q':
	default:
		return
	}
	var p params
	if !p.parse(text) {
		return
	}
	switch {
	case p.prefix == '?' && p.intermediate == 0 && (final == 'h' || final == 'l'):
		for _, n := range p.values[:p.n] {
			s.private(n, final == 'h')
		}
	case p.prefix != 0:
	case p.intermediate == '!' && final == 'p':
		s.softReset()
	case p.intermediate == ' ' && final == 'q':
		if n := p.values[0]; n <= 6 {
			s.cursor = uint8(n)
		}
	case p.intermediate != 0:
	case final == 'm':
		s.apply(&p)
	case final == 'h' || final == 'l':
		for _, n := range p.values[:p.n] {
			switch n {
			case 4:
				s.set(insert, final == 'h')
			case 20:
				s.set(newline, final == 'h')
			}
		}
	case final == 'r':
		top, bottom := max(p.values[0], 1), int32(0)
		if p.n > 1 {
			bottom = p.values[1]
		}
		if bottom == 0 || bottom > top {
			if top == 1 && bottom == 0 {
				top = 0
			}
			s.screen().top, s.screen().bottom = top, bottom
		}
	case final == 's':
		s.save()
	case final == 'u':
		s.restore()
	}
}

func (s *State) private(n int32, on bool) {
	switch n {
	case 2:
		if on {
			s.sets = [4]byte{}
		}
	case 9, 1000, 1002, 1003:
		s.mouse = 0
		if on {
			s.mouse = n
		}
	case 1006, 1016:
		s.encoding = 0
		if on {
			s.encoding = n
		}
	case 1048:
		if on {
			s.save()
		} else {
			s.restore()
		}
	case 47, 1047, 1049:
		s.switchScreen(n == 1049, on)
	default:
		for _, m := range private {
			if m.number == n {
				s.set(m.mode, on != m.opposite)
			}
		}
	}
}

func (s *State) switchScreen(cursor, on bool) {
	if cursor && on {
		s.save()
	}
	if s.alt && !on {
		s.screens[1] = screen{saved: s.screens[1].saved}
	}
	s.alt = on
	if cursor && !on {
		s.restore()
	}
}
