package redraw

import (
	"bytes"
	"strconv"
)

// Prefix returns the bytes that bring a terminal, whatever it was in the middle
// of, to where s stands, with a clear screen. It asks the terminal nothing.
//
// A terminal that shows something already keeps what it has of the normal screen:
// rows is how many lines of it are moved up into the scrollback, 0 for none. Where
// s is in the alternate screen, the normal one stays as it is.
func (s *State) Prefix(rows int) []byte {
	b := append(make([]byte, 0, 256+rows), "\x18\x1b[!p"...)
	if s.alt {
		b = s.screens[0].saved.append(b) // for 1049 to save
		b = append(b, "\x1b[?1049h\x1b[!p"...)
	} else {
		b = append(b, "\x1b[?1049l\x1b[!p"...)
		if rows > 0 {
			b = append(b, "\x1b[20l\x1b[999;1H"...)
			b = append(b, bytes.Repeat([]byte("\n"), rows)...)
		}
	}
	// What a soft reset leaves as it is.
	b = append(b, "\x1b[H\x1b[2J\x1b[20l\x1b[?12;1000;1006l"...)

	if now := s.screen(); *now != (screen{}) {
		if now.saved != (attributes{}) {
			b = append(now.saved.append(b), "\x1b7\x1b[m"...)
		}
		if now.top > 0 {
			b = append(b, "\x1b["...)
			b = strconv.AppendInt(b, int64(now.top), 10)
			b = append(b, ';')
			b = strconv.AppendInt(b, int64(now.bottom), 10)
			b = append(b, 'r')
		}
	}
	for g, set := range s.sets {
		if set != 0 {
			b = append(b, esc, "()*+"[g], set)
		}
	}
	switch s.level {
	case 1:
		b = append(b, so)
	case 2:
		b = append(b, "\x1bn"...)
	case 3:
		b = append(b, "\x1bo"...)
	}
	for _, m := range private {
		if s.modes&m.mode != 0 {
			b = appendMode(b, m.number, !m.opposite)
		}
	}
	if s.mouse != 0 {
		b = appendMode(b, s.mouse, true)
	}
	if s.encoding != 0 {
		b = appendMode(b, s.encoding, true)
	}
	if s.modes&insert != 0 {
		b = append(b, "\x1b[4h"...)
	}
	if s.modes&newline != 0 {
		b = append(b, "\x1b[20h"...)
	}
	if s.cursor != 0 {
		b = append(b, "\x1b["...)
		b = append(b, '0'+s.cursor, ' ', 'q')
	}
	b = s.attributes.append(b)
	return s.appendUnfinished(b)
}

func appendMode(b []byte, number int32, on bool) []byte {
	b = append(b, "\x1b[?"...)
	b = strconv.AppendInt(b, int64(number), 10)
	if on {
		return append(b, 'h')
	}
	return append(b, 'l')
}

// appendUnfinished begins what the stream is in the middle of. A string that lost
// its beginning is one that means nothing.
func (s *State) appendUnfinished(b []byte) []byte {
	switch s.phase {
	case escape, control, deviceHead:
		b = append(b, s.seq[:s.seqLen]...)
	case badControl:
		b = append(b, "\x1b[0<"...)
	case command:
		b = append(b, "\x1b]99999;"...)
	case device:
		b = append(b, "\x1bP0z"...)
	case other:
		b = append(b, "\x1b_"...)
	}
	return append(b, s.char[:s.runeLen]...)
}
