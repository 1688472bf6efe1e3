package link

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Limits of the wire. Sizes are checked before memory is taken.
const (
	// MaxPayload is how many bytes one frame may carry.
	MaxPayload = 64 << 10
	header     = 5 // kind, stream
	trailer    = 4 // CRC-32C
	maxBody    = header + MaxPayload + trailer
	// MaxFrame is the longest frame on the wire, its end mark included.
	MaxFrame = maxBody + maxBody/254 + 2
)

// End is the byte that ends every frame and occurs nowhere inside one. A writer
// that takes over a stream sends it first: it ends whatever the writer before
// it left unfinished.
const End = 0x00

// ErrTooLong says that a payload is larger than MaxPayload.
var ErrTooLong = errors.New("payload is longer than a frame may carry")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Frame is one message or a piece of one.
type Frame struct {
	Kind    Kind
	Stream  uint32 // the terminal's tab, or the number of a request
	Payload []byte
}

// Append appends the wire form of f to dst. It returns ErrTooLong, and dst as it
// was, when the payload does not fit.
//
// Frames are coded by Consistent Overhead Byte Stuffing (Cheshire and Baker,
// "Consistent Overhead Byte Stuffing", SIGCOMM 1997), so End cannot be forged by
// anything that a payload holds: what a learner types can never look like a frame.
func Append(dst []byte, f Frame) ([]byte, error) {
	return appendFrame(dst, f.Kind, f.Stream, f.Payload, nil)
}

// appendFrame appends a frame whose payload comes in two pieces, so that output
// need not be copied behind its offset first.
func appendFrame(dst []byte, k Kind, stream uint32, first, second []byte) ([]byte, error) {
	if n := len(first) + len(second); n > MaxPayload {
		return dst, fmt.Errorf("%w: %d bytes", ErrTooLong, n)
	}
	var head [header]byte
	head[0] = byte(k)
	binary.BigEndian.PutUint32(head[1:], stream)
	sum := crc32.Checksum(head[:], castagnoli)
	sum = crc32.Update(sum, castagnoli, first)
	sum = crc32.Update(sum, castagnoli, second)
	var tail [trailer]byte
	binary.BigEndian.PutUint32(tail[:], sum)

	s := stuffer{dst: dst, code: len(dst), run: 1}
	s.dst = append(s.dst, 0)
	s.add(head[:])
	s.add(first)
	s.add(second)
	s.add(tail[:])
	s.dst[s.code] = s.run
	return append(s.dst, End), nil
}

// stuffer writes COBS: each block is a code byte n followed by n-1 bytes that are
// not zero; n < 255 stands for a zero after them.
type stuffer struct {
	dst  []byte
	code int  // index of the open block's code byte
	run  byte // its value so far
}

func (s *stuffer) add(p []byte) {
	for len(p) > 0 {
		n := bytes.IndexByte(p, 0)
		zero := n >= 0
		if !zero {
			n = len(p)
		}
		for room := int(0xff - s.run); n >= room; room = int(0xff - s.run) {
			s.dst = append(s.dst, p[:room]...)
			p, n = p[room:], n-room
			s.run = 0xff
			s.next()
		}
		s.dst = append(s.dst, p[:n]...)
		s.run += byte(n)
		p = p[n:]
		if zero {
			s.next()
			p = p[1:]
		}
	}
}

func (s *stuffer) next() {
	s.dst[s.code] = s.run
	s.code, s.run = len(s.dst), 1
	s.dst = append(s.dst, 0)
}

// unstuff decodes one COBS frame without its end mark into dst[:0].
func unstuff(dst, p []byte) ([]byte, bool) {
	dst = dst[:0]
	for len(p) > 0 {
		n := int(p[0])
		if n == 0 || n > len(p) {
			return dst, false
		}
		dst = append(dst, p[1:n]...)
		p = p[n:]
		if n < 0xff && len(p) > 0 {
			dst = append(dst, 0)
		}
	}
	return dst, true
}

// Decoder finds frames in a stream that may hold anything. Damaged, oversized
// and unfinished frames are dropped and counted; the next good one is found
// whatever came before it. It holds at most MaxFrame bytes of input.
type Decoder struct {
	partial []byte // input since the last end mark
	body    []byte
	skip    bool // the frame under way is too long: drop to its end
	dropped int64
}

// Dropped counts the damaged frames so far.
func (d *Decoder) Dropped() int64 { return d.dropped }

// Feed takes the next bytes and calls f for each whole frame, in order. The
// frame's payload is valid until f returns. An error of f ends Feed at once and
// is returned; the rest of p is lost.
func (d *Decoder) Feed(p []byte, f func(Frame) error) error {
	for len(p) > 0 {
		end := bytes.IndexByte(p, End)
		if end < 0 {
			if d.skip || len(d.partial)+len(p) > MaxFrame {
				d.skip, d.partial = true, d.partial[:0]
				return nil
			}
			d.partial = append(d.partial, p...)
			return nil
		}
		raw := p[:end]
		p = p[end+1:]
		if d.skip {
			d.skip = false
			d.dropped++
			continue
		}
		if len(d.partial) > 0 {
			d.partial = append(d.partial, raw...)
			raw = d.partial
		}
		frame, ok := d.decode(raw)
		d.partial = d.partial[:0]
		if !ok {
			if len(raw) > 0 {
				d.dropped++
			}
			continue
		}
		if err := f(frame); err != nil {
			return err
		}
	}
	return nil
}

func (d *Decoder) decode(raw []byte) (Frame, bool) {
	if len(raw) < header+trailer || len(raw) >= MaxFrame {
		return Frame{}, false
	}
	var ok bool
	if d.body, ok = unstuff(d.body, raw); !ok || len(d.body) < header+trailer || len(d.body) > maxBody {
		return Frame{}, false
	}
	cut := len(d.body) - trailer
	if crc32.Checksum(d.body[:cut], castagnoli) != binary.BigEndian.Uint32(d.body[cut:]) {
		return Frame{}, false
	}
	return Frame{
		Kind:    Kind(d.body[0]),
		Stream:  binary.BigEndian.Uint32(d.body[1:]),
		Payload: d.body[header:cut],
	}, true
}
