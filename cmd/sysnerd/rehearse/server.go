package rehearse

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTime = 2 * time.Minute  // for a server to say where it is
	endTime   = 20 * time.Second // for it to end when told
	quitTime  = 2 * time.Second  // to say what it waits for
	maxLog    = 128 << 10        // of its log is kept
)

// Server is a server of the rehearsal's own: a child with a data folder that
// nobody else has. Its CPU and memory are not mixed with the learners'.
type Server struct {
	URL  string
	Data string
	cmd  *exec.Cmd
	log  *tail
	out  chan struct{} // closed when its output has ended
}

// Serve has program, which is sysnerd, start a server with a pool of that size.
// Settings are flags of serve.
func Serve(ctx context.Context, program string, pool int, settings ...string) (*Server, error) {
	data, err := os.MkdirTemp("", "sysnerd-rehearsal-")
	if err != nil {
		return nil, err
	}
	s := &Server{Data: filepath.Join(data, "data"), log: new(tail), out: make(chan struct{})}
	args := append([]string{"serve"}, settings...)
	args = append(args, "--data="+s.Data, "--listen=127.0.0.1:0", "--url=", fmt.Sprintf("--sandbox-pool=%d", pool), "--log-level=warn")
	s.cmd = exec.Command(program, args...)
	s.cmd.Stderr = s.log
	// A Ctrl-C is the rehearsal's: it ends the server when its learners have left.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		os.RemoveAll(data)
		return nil, fmt.Errorf("start a server: %w", err)
	}
	said := make(chan string, 1)
	go func() {
		defer close(s.out)
		lines := bufio.NewReader(out)
		line, _ := lines.ReadString('\n')
		said <- line
		_, _ = io.Copy(io.Discard, lines)
	}()
	late := time.NewTimer(startTime)
	defer late.Stop()
	select {
	case line := <-said:
		if _, at, ok := strings.Cut(strings.TrimSpace(line), " is at "); ok {
			s.URL = at
			return s, nil
		}
		err = errors.New("it ended")
	case <-late.C:
		err = fmt.Errorf("not there within %s", startTime)
	case <-ctx.Done():
		err = ctx.Err()
	}
	_, _ = s.Close(func(string) (int, error) { return 0, nil }) // it had no learner
	return nil, fmt.Errorf("start a server: %w\n%s", err, s.log)
}

// Warm waits until a sandbox is ready for each learner, telling how many are, and
// gives up when for a while there is no more.
func (s *Server) Warm(ctx context.Context, learners int, tell func(warm int)) error {
	who := newPerson(s.URL)
	defer who.close()
	most, since := 0, time.Now()
	for {
		values, err := metrics(ctx, who)
		if err != nil {
			return fmt.Errorf("ask the server how many sandboxes are ready: %w", err)
		}
		warm := int(values["sysnerd_sandboxes_warm"])
		tell(warm)
		if warm > most {
			most, since = warm, time.Now()
		}
		if warm >= learners || time.Since(since) > 15*time.Second {
			return nil
		}
		pause(ctx, 250*time.Millisecond)
	}
}

// Close ends the server and removes its data. In between sweep is called, which
// removes the instance's sandboxes that are there still, and says how many were.
func (s *Server) Close(sweep func(instance string) (left int, err error)) (left int, err error) {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	// One that does not end says where its goroutines are, and is ended by that.
	quit := time.AfterFunc(endTime, func() { _ = s.cmd.Process.Signal(syscall.SIGQUIT) })
	defer quit.Stop()
	kill := time.AfterFunc(endTime+quitTime, func() { _ = s.cmd.Process.Kill() })
	defer kill.Stop()
	<-s.out
	if ended := s.cmd.Wait(); ended != nil {
		err = fmt.Errorf("end the server: %w\n%s", ended, s.log)
	}
	if instance, unnamed := os.ReadFile(filepath.Join(s.Data, "instance")); unnamed == nil {
		var swept error
		left, swept = sweep(strings.TrimSpace(string(instance)))
		err = errors.Join(err, swept)
	}
	return left, errors.Join(err, os.RemoveAll(filepath.Dir(s.Data)))
}

// Log is the end of what the server complained of.
func (s *Server) Log() string { return s.log.String() }

// tail keeps the end of what is written.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - maxLog; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}
