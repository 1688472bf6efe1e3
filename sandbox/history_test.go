package sandbox

import (
	"bytes"
	"testing"

	"sysnerd/sandbox/link"
)

func content(h *history) (all []byte) {
	for at := h.start; at < h.end; {
		p := h.from(at)
		all = append(all, p...)
		at += int64(len(p))
	}
	return all
}

// number makes n bytes that tell their own offset.
func number(from int64, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		at := from + int64(i)
		p[i] = byte(at ^ at>>8 ^ at>>16)
	}
	return p
}

func TestHistoryStartsSmallAndKeepsTheNewest(t *testing.T) {
	var h history
	h.write([]byte("prompt"))
	if len(h.mem) != firstHistory {
		t.Errorf("an idle terminal takes %d bytes, want %d", len(h.mem), firstHistory)
	}
	h.write(number(6, 3*link.OutputWindow))
	if len(h.mem) != link.OutputWindow {
		t.Errorf("a busy terminal takes %d bytes, want %d", len(h.mem), link.OutputWindow)
	}
	if want := number(h.start, link.OutputWindow); !bytes.Equal(content(&h), want) {
		t.Error("the bytes kept are not the newest")
	}
}

func FuzzHistory(f *testing.F) {
	f.Add([]byte{1, 200, 255, 3}, uint16(100))
	f.Add([]byte{255, 255, 255, 255}, uint16(65535))
	f.Fuzz(func(t *testing.T, steps []byte, unit uint16) {
		var h history
		for i, s := range steps {
			if i >= 64 {
				break
			}
			if s == 255 {
				h.skip(h.end + int64(unit)) // a gap
				continue
			}
			h.write(number(h.end, int(s)*int(unit)/16))
			if h.end-h.start > link.OutputWindow || len(h.mem) > link.OutputWindow {
				t.Fatalf("holds %d bytes", h.end-h.start)
			}
			if got := content(&h); !bytes.Equal(got, number(h.start, len(got))) || int64(len(got)) != h.end-h.start {
				t.Fatalf("after step %d the bytes from %d to %d are not those written", i, h.start, h.end)
			}
		}
	})
}

func BenchmarkHistory(b *testing.B) {
	for name, line := range map[string]string{
		"plain":  "drwxr-xr-x 2 root root 4096 Nov 24 00:01 file.txt\r\n",
		"colour": "\x1b[0m\x1b[01;34mdir\x1b[0m  \x1b[12;4H\x1b[38;5;12mfile\x1b[K\x1b[m text\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			var h history
			p := bytes.Repeat([]byte(line), 4096/len(line))
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				h.write(p)
			}
		})
	}
}
