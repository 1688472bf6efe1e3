package docker

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/iotest"
)

func frame(stream byte, data string) string {
	head := []byte{stream, 0, 0, 0}
	return string(binary.BigEndian.AppendUint32(head, uint32(len(data)))) + data
}

func newStream(in io.Reader, log io.Writer) *stream {
	conn, far := net.Pipe()
	_ = far.Close()
	return &stream{conn: conn, in: bufio.NewReader(in), log: slog.New(slog.NewTextHandler(log, nil))}
}

func TestStreamHandsOutStandardOutputAlone(t *testing.T) {
	in := frame(1, "one ") + frame(2, "complaint") + frame(1, "") + frame(1, "two ") + frame(2, "") + frame(1, "three")
	for name, slow := range map[string]func(io.Reader) io.Reader{
		"at once":          func(r io.Reader) io.Reader { return r },
		"a byte at a time": iotest.OneByteReader,
		"with early EOF":   iotest.DataErrReader,
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			got, err := io.ReadAll(newStream(slow(strings.NewReader(in)), &log))
			if string(got) != "one two three" || err != nil {
				t.Errorf("ReadAll = %q, %v; want %q", got, err, "one two three")
			}
			if !strings.Contains(log.String(), "complaint") {
				t.Errorf("log = %q, want the complaint", &log)
			}
		})
	}
}

func TestStreamReturnsWhatIsThere(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	s := newStream(r, io.Discard)
	go func() { _, _ = io.WriteString(w, frame(1, "whole")[:8+2]) }() // and the rest never comes
	buf := make([]byte, 100)
	if n, err := s.Read(buf); string(buf[:n]) != "wh" || err != nil {
		t.Errorf("Read = %q, %v; want %q", buf[:n], err, "wh")
	}
}

func TestStreamLogsLittle(t *testing.T) {
	var log bytes.Buffer
	in := strings.Repeat(frame(2, strings.Repeat("x", 30<<10)), 20) + frame(1, "end")
	got, err := io.ReadAll(newStream(strings.NewReader(in), &log))
	if string(got) != "end" || err != nil {
		t.Errorf("ReadAll = %q, %v; want %q", got, err, "end")
	}
	if log.Len() > 2*maxStderr {
		t.Errorf("600 KiB of standard error left %d bytes in the log, want about %d", log.Len(), maxStderr)
	}
}

func TestStreamRefusesNonsense(t *testing.T) {
	for _, in := range []string{"\x01\x00\x00\x00\xff\xff\xff\xff", "HTTP/1.1 500", "\x07\x00\x00\x00\x00\x00\x00\x01x"} {
		_, err := io.ReadAll(newStream(strings.NewReader(in), io.Discard))
		if err == nil || errors.Is(err, io.EOF) {
			t.Errorf("ReadAll of %q = %v, want an error that tells", in, err)
		}
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte(frame(1, "one")+frame(2, "two")), 3)
	f.Add([]byte("\x01\x00\x00\x00\x00\x10\x00\x00"), 1)
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		s := newStream(bytes.NewReader(in), io.Discard)
		buf := make([]byte, 1+max(0, size%100))
		total := 0
		for {
			n, err := s.Read(buf)
			total += n
			if err != nil {
				break
			}
			if n == 0 {
				t.Fatal("Read = 0, nil")
			}
		}
		if total > len(in) {
			t.Fatalf("read %d bytes of %d", total, len(in))
		}
		if _, err := s.Read(buf); err == nil {
			t.Fatal("Read after the end = nil")
		}
	})
}
