package guest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/link"
)

// answerSocket is where `answer` finds PID 1.
const answerSocket = "/run/answer.sock"

// listenAnswers takes what the learner submits with `answer`, one at a time.
func (g *Guest) listenAnswers() error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open answer socket: %w", err)
	}
	_ = os.Remove(answerSocket)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: answerSocket}); err != nil {
		return fmt.Errorf("bind answer socket: %w", err)
	}
	if err := os.Chmod(answerSocket, 0o666); err != nil {
		return fmt.Errorf("open answer socket to the learner: %w", err)
	}
	if err := unix.Listen(fd, 8); err != nil {
		return fmt.Errorf("listen for answers: %w", err)
	}
	go func() {
		for {
			peer, err := retry(func() (int, error) {
				n, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
				return n, err
			})
			if err != nil {
				continue
			}
			g.takeAnswer(peer)
			unix.Close(peer)
		}
	}()
	return nil
}

// takeAnswer reads "TASK NUL VALUE" up to the end and says what became of it.
func (g *Guest) takeAnswer(fd int) {
	second := unix.Timeval{Sec: 1}
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &second)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &second)
	reply := func(s string) { _, _ = unix.Write(fd, []byte(s)) }
	buf := make([]byte, 0, link.MaxAnswer+128)
	for len(buf) < cap(buf) {
		n, err := retry(func() (int, error) { return unix.Read(fd, buf[len(buf):cap(buf)]) })
		if n <= 0 || err != nil {
			break
		}
		buf = buf[:len(buf)+n]
	}
	task, value, ok := bytes.Cut(buf, []byte{0})
	c := g.link()
	switch {
	case !ok || len(value) == 0 || !utf8.Valid(buf):
		reply("nothing to submit: answer VALUE")
	case len(value) > link.MaxAnswer:
		reply(fmt.Sprintf("an answer may be %d bytes long", link.MaxAnswer))
	case c == nil:
		reply("nobody takes answers just now; try again in a moment")
	default:
		c.sendJSON(link.KindAnswer, 0, link.Answer{Task: string(task), Value: string(value)})
		reply("ok")
	}
}

// Answer is the program `answer`: it submits args, "VALUE" or "TASK VALUE", to
// PID 1 and says so on out. It returns the exit status.
func Answer(args []string, out io.Writer) int {
	task, value := "", ""
	switch {
	case len(args) == 1 && args[0] != "--help" && args[0] != "-h":
		value = args[0]
	case len(args) == 2:
		task, value = args[0], args[1]
	default:
		fmt.Fprintln(out, "Usage: answer VALUE\n       answer TASK VALUE\nSubmits what you found out. The verdict appears at the task.")
		return 2
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: answerSocket})
	}
	if err != nil {
		fmt.Fprintf(out, "answer: cannot reach the sandbox's PID 1: %v\n", err)
		return 1
	}
	if _, err := unix.Write(fd, []byte(task+"\x00"+value)); err != nil {
		fmt.Fprintf(out, "answer: %v\n", err)
		return 1
	}
	_ = unix.Shutdown(fd, unix.SHUT_WR)
	buf := make([]byte, 256)
	n, _ := retry(func() (int, error) { return unix.Read(fd, buf) })
	if got := string(buf[:max(0, n)]); got != "ok" {
		fmt.Fprintln(out, "answer:", got)
		return 1
	}
	fmt.Fprintln(out, "Submitted. The verdict appears at the task.")
	return 0
}
