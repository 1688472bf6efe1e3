package link

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

// decode feeds wire to a new Decoder in pieces of step bytes.
func decode(wire []byte, step int) (frames []Frame, d *Decoder) {
	d = &Decoder{}
	for len(wire) > 0 {
		n := min(step, len(wire))
		_ = d.Feed(wire[:n], func(f Frame) error {
			f.Payload = bytes.Clone(f.Payload)
			frames = append(frames, f)
			return nil
		})
		wire = wire[n:]
	}
	return frames, d
}

func same(a, b Frame) bool {
	return a.Kind == b.Kind && a.Stream == b.Stream && bytes.Equal(a.Payload, b.Payload)
}

func payloads() map[string][]byte {
	noise := make([]byte, MaxPayload)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	return map[string][]byte{
		"empty":      nil,
		"zeros":      make([]byte, 1000),
		"no zeros":   bytes.Repeat([]byte{1}, 1000),
		"block":      bytes.Repeat([]byte{7}, 254-header),
		"block+1":    bytes.Repeat([]byte{7}, 255-header),
		"block zero": append(bytes.Repeat([]byte{7}, 254-header), 0),
		"all bytes":  []byte(strings.Repeat("\x00\x01\xfe\xff", 300)),
		"noise":      noise,
	}
}

func TestFrameComesBackAsItWent(t *testing.T) {
	for name, p := range payloads() {
		want := Frame{Kind: KindOutput, Stream: 1<<31 + 7, Payload: p}
		wire, err := Append(nil, want)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(wire) > MaxFrame {
			t.Errorf("%s: %d bytes on the wire, more than MaxFrame", name, len(wire))
		}
		if i := bytes.IndexByte(wire, End); i != len(wire)-1 {
			t.Errorf("%s: end mark at %d of %d", name, i, len(wire))
		}
		for _, step := range []int{1, 3, 4096, len(wire)} {
			if got, _ := decode(wire, step); len(got) != 1 || !same(got[0], want) {
				t.Errorf("%s in steps of %d: got %d frames, not the one that went", name, step, len(got))
			}
		}
	}
}

func TestOversizedPayloadIsRefused(t *testing.T) {
	before := []byte("before")
	got, err := Append(before, Frame{Payload: make([]byte, MaxPayload+1)})
	if !errors.Is(err, ErrTooLong) || string(got) != "before" {
		t.Errorf("Append = %q, %v; want the input and ErrTooLong", got, err)
	}
}

func TestDamageCostsNoOtherFrame(t *testing.T) {
	good, _ := Append(nil, Frame{Kind: KindPing, Stream: 5, Payload: []byte("good")})
	long := bytes.Repeat([]byte{1}, 3*MaxFrame)
	flipped := bytes.Clone(good)
	flipped[3] ^= 0x40
	for name, damage := range map[string][]byte{
		"cut off":       append(bytes.Clone(good[:len(good)/2]), End),
		"flipped bit":   flipped,
		"noise":         []byte("\xff\xfe\x01 text \x00"),
		"endless":       append(long, End),
		"only marks":    {End, End, End},
		"tiny":          {1, End},
		"pointing past": {0xff, 1, End},
	} {
		for _, step := range []int{1, 1000, 1 << 20} {
			got, d := decode(append(bytes.Clone(damage), good...), step)
			if len(got) != 1 || string(got[0].Payload) != "good" {
				t.Errorf("%s in steps of %d: got %v, want the good frame alone", name, step, got)
			}
			if cap(d.partial) > 4*MaxFrame {
				t.Errorf("%s: decoder holds %d bytes", name, cap(d.partial))
			}
		}
	}
}

// What a learner types must never look like a frame, even when the frame around
// it is cut in the middle and the decoder begins anew inside it.
func TestPayloadCannotForgeAFrame(t *testing.T) {
	forged, _ := AppendJSON([]byte{End}, KindRun, 1, Run{Script: 10})
	outer, _ := Append(nil, Frame{Kind: KindInput, Stream: 1, Payload: bytes.Repeat(forged, 20)})
	next, _ := Append([]byte{End}, Frame{Kind: KindPing})
	for cut := range outer {
		for _, wire := range [][]byte{append(bytes.Clone(outer[:cut]), next...), append(bytes.Clone(outer[cut:]), next...)} {
			got, _ := decode(wire, len(wire))
			for _, f := range got {
				if f.Kind == KindRun {
					t.Fatalf("cut at %d: a forged frame came through", cut)
				}
			}
		}
	}
}

func TestOffsetsAreChecked(t *testing.T) {
	if _, _, err := (Frame{Payload: []byte("short")}).Offset(); err == nil {
		t.Error("a short payload gave an offset")
	}
	if _, _, err := (Frame{Payload: bytes.Repeat([]byte{0xff}, 8)}).Offset(); err == nil {
		t.Error("a negative offset was taken")
	}
	wire, _ := AppendOffset(nil, KindOutput, 2, 1<<40, []byte("data"))
	got, _ := decode(wire, 5)
	if offset, data, err := got[0].Offset(); offset != 1<<40 || string(data) != "data" || err != nil {
		t.Errorf("Offset = %d, %q, %v", offset, data, err)
	}
}

func TestRunsAndSetupsAreBounded(t *testing.T) {
	good := Run{Script: 1, Deadline: 1000, Output: 10}
	if err := good.Check(); err != nil {
		t.Errorf("a good run: %v", err)
	}
	for _, bad := range []Run{
		{Script: -1, Deadline: 1}, {Script: MaxScript + 1, Deadline: 1}, {Deadline: 0}, {Deadline: 1 << 40},
		{Deadline: 1, Output: -1}, {Deadline: 1, Files: []File{{Name: "lower"}}}, {Deadline: 1, Files: []File{{Name: "A", Size: -1}}},
		{Deadline: 1, Files: []File{{Name: "A", Size: MaxFile}, {Name: "B", Size: MaxFile}, {Name: "C", Size: 1}}},
		{Deadline: 1, Files: make([]File, MaxFiles+1)}, {Deadline: 1, Env: []string{"novalue"}}, {Deadline: 1, Env: []string{"A=\x00"}},
	} {
		if bad.Check() == nil {
			t.Errorf("%+v passed", bad)
		}
	}
	for _, bad := range []Setup{{}, {UID: 0, Processes: 1, Home: "/h"}, {UID: 1, Home: "/h"}, {UID: 1, Processes: 1, Home: "h"}, {UID: 1, Processes: 1, Home: "/h:0:0"}} {
		if bad.Check() == nil {
			t.Errorf("%+v passed", bad)
		}
	}
}

func TestLinkAndGuestStaySmall(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "sysnerd/cmd/guest").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(out)) {
		if dep == "net/http" || dep == "net" || strings.Contains(dep, "docker/docker") {
			t.Errorf("the guest depends on %s", dep)
		}
	}
	out, err = exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "sysnerd/sandbox/link").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != "sysnerd/sandbox/link" {
		t.Errorf("link depends on more than the standard library: %s", got)
	}
}

func FuzzDecoder(f *testing.F) {
	good, _ := Append(nil, Frame{Kind: KindPing, Stream: 5, Payload: []byte("good")})
	f.Add(good, 1)
	f.Add(append([]byte("\x00\xff\x01"), good...), 3)
	f.Fuzz(func(t *testing.T, wire []byte, step int) {
		step = max(1, min(step, 1<<16))
		frames, d := decode(wire, step)
		whole, _ := decode(wire, max(1, len(wire)))
		if len(frames) != len(whole) {
			t.Fatalf("%d frames in steps of %d, %d at once", len(frames), step, len(whole))
		}
		if cap(d.partial) > 4*MaxFrame+len(wire) {
			t.Fatalf("decoder holds %d bytes", cap(d.partial))
		}
		for i, fr := range frames {
			if !same(fr, whole[i]) {
				t.Fatalf("frame %d differs by step", i)
			}
			again, err := Append(nil, fr)
			if err != nil {
				t.Fatal(err)
			}
			if back, _ := decode(again, len(again)); len(back) != 1 || !same(back[0], fr) {
				t.Fatal("a decoded frame does not come back as it went")
			}
		}
	})
}

func FuzzFrame(f *testing.F) {
	f.Add(byte(3), uint32(1), []byte("\x00\x01"))
	f.Fuzz(func(t *testing.T, kind byte, stream uint32, p []byte) {
		want := Frame{Kind(kind), stream, p}
		wire, err := Append(nil, want)
		if len(p) > MaxPayload {
			if err == nil {
				t.Fatal("too long, and taken")
			}
			return
		}
		if got, _ := decode(wire, 7); len(got) != 1 || !same(got[0], want) {
			t.Fatalf("got %d frames", len(got))
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	p := []byte(strings.Repeat("0123456789abcdef", 256))
	b.SetBytes(int64(len(p)))
	var buf []byte
	for b.Loop() {
		buf, _ = AppendOffset(buf[:0], KindOutput, 1, 1<<20, p)
	}
}

func BenchmarkDecoder(b *testing.B) {
	p := []byte(strings.Repeat("0123456789abcdef", 256))
	wire, _ := AppendOffset(nil, KindOutput, 1, 1<<20, p)
	b.SetBytes(int64(len(p)))
	var d Decoder
	for b.Loop() {
		_ = d.Feed(wire, func(Frame) error { return nil })
	}
}
