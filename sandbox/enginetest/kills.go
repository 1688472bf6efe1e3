package enginetest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"sysnerd/sandbox"
)

// What a program that plays the server is told in its environment.
const (
	playerJob  = "SYSNERD_PLAY_SERVER"
	killsCount = "SYSNERD_KILLS" // how often; some for every test run if it is not set
	someKills  = 40
)

// job is a server that shall be killed: it follows one terminal of one sandbox.
type job struct {
	Way   string // how the engine is opened
	Spec  sandbox.Spec
	Since int64
	Run   string // typed first
}

// PlayServer turns a test program that Kills started into the server to be killed,
// and does not return then. It belongs at the beginning of TestMain.
func PlayServer(open func(instance, way string) (sandbox.Engine, error)) {
	text := os.Getenv(playerJob)
	if text == "" {
		return
	}
	var j job
	err := json.Unmarshal([]byte(text), &j)
	var e sandbox.Engine
	if err == nil {
		e, err = open(j.Spec.Instance, j.Way)
	}
	if err == nil {
		err = j.play(e)
	}
	fmt.Fprintln(os.Stderr, "server:", err)
	os.Exit(1)
}

// play writes the terminal's output to standard output, each piece with offset and
// length before it, and acknowledges it only then.
func (j job) play(e sandbox.Engine) error {
	ctx := context.Background()
	box, err := sandbox.Adopt(ctx, e, j.Spec, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	view, err := box.Terminal(1).View(ctx, sandbox.ViewOptions{Size: sandbox.Size{Cols: 80, Rows: 24}, Since: j.Since})
	if err != nil {
		return err
	}
	if err := view.Write(ctx, []byte(j.Run)); err != nil {
		return err
	}
	var piece []byte
	for {
		out, err := view.Next(ctx)
		if err != nil {
			return err
		}
		if out.Data == nil {
			continue
		}
		piece = binary.BigEndian.AppendUint64(piece[:0], uint64(out.Offset))
		piece = binary.BigEndian.AppendUint64(piece, uint64(len(out.Data)))
		if _, err := os.Stdout.Write(append(piece, out.Data...)); err != nil {
			return err
		}
		view.Ack(out.Offset + int64(len(out.Data)))
	}
}

// Closer is an engine that can be closed, so that another process may open it.
type Closer interface {
	sandbox.Engine
	io.Closer
}

// Kills ends a server with SIGKILL, again and again, under a shell that counts, and
// sees to it that of what it printed nothing is missing and nothing comes twice. The
// engine is opened in the servers by PlayServer, with way, and here by open, before
// the first and after the last.
func Kills(t *testing.T, instance, way, image string, open func() Closer) {
	kills := someKills
	if n, err := strconv.Atoi(os.Getenv(killsCount)); err == nil {
		kills = n
	}
	e := open()
	b := &bench{suite: &suite{cfg: Config{Image: image}, t: t, instance: instance, engine: e}, t: t, ctx: t.Context()}
	spec := b.spec()
	defer func() {
		b.engine = open()
		b.remove(spec.ID)
	}()
	if err := errors.Join(e.Create(b.ctx, spec), e.Close()); err != nil {
		t.Fatal(err)
	}
	c := &counter{next: 1}
	next := job{Way: way, Spec: spec, Run: "echo; i=0; while :; do echo n$((++i)); done\n"}
	reached := make([]int, 0, kills)
	for len(reached) < kills {
		if err := c.follow(next, len(reached)); err != nil {
			t.Fatalf("server %d of %d, killed %d times: %v", len(reached)+1, kills, len(reached), err)
		}
		next.Since, next.Run = c.offset, ""
		reached = append(reached, c.next-1)
	}
	moved := 0
	for i, n := range reached {
		if i > 0 && n > reached[i-1] {
			moved++
		}
	}
	if moved < kills/2 {
		t.Errorf("of %d servers only %d saw anything: the test shows little", kills, moved)
	}
	t.Logf("%d servers killed under %d lines, %d bytes: none lost, none doubled", kills, c.next-1, c.offset)
}

// follow starts a server, kills it a moment after it showed something, and takes in
// all that it said.
func (c *counter) follow(j job, round int) error {
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	server := exec.Command(self)
	server.Env = append(os.Environ(), playerJob+"="+string(text))
	var complaint bytes.Buffer
	server.Stderr = &complaint
	out, err := server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	// A server that hangs says nothing, and is ended as well.
	late := time.AfterFunc(patience, func() { _ = server.Process.Kill() })
	defer late.Stop()
	pieces := bufio.NewReaderSize(out, 256<<10)
	var killer *time.Timer
	for {
		offset, p, err := piece(pieces)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break // killed, in the middle of a piece perhaps
		}
		if err == nil {
			err = c.take(offset, p)
		}
		if err != nil {
			_ = server.Process.Kill()
			_ = server.Wait()
			return err
		}
		if killer == nil && (round > 0 || c.next > 1) {
			killer = time.AfterFunc(time.Duration(rand.Int64N(int64(30*time.Millisecond))), func() { _ = server.Process.Kill() })
		}
	}
	_ = server.Wait() // killed
	if killer == nil {
		return fmt.Errorf("it ended before it showed anything: %s", complaint.String())
	}
	killer.Stop()
	return nil
}

func piece(r io.Reader) (offset int64, p []byte, err error) {
	var head [16]byte
	if _, err = io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint64(head[8:])
	if n > 1<<20 {
		return 0, nil, fmt.Errorf("a piece of %d bytes", n)
	}
	p = make([]byte, n)
	_, err = io.ReadFull(r, p)
	return int64(binary.BigEndian.Uint64(head[:8])), p, err
}
