package enginetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"sysnerd/sandbox"
)

// guests are what the guest can do only if the engine lets it.
var guests = []test{
	{name: "run", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		got, err := box.Run(b.ctx, sandbox.Run{Script: []byte("echo out; echo err >&2; cat $DATA; exit 7"), Files: []sandbox.File{{Name: "DATA", Data: []byte("in\n")}}})
		if err != nil {
			return err
		}
		if got.Exit != 7 || string(got.Stdout) != "out\nin\n" || string(got.Stderr) != "err\n" {
			return fmt.Errorf("run = exit %d, %q, %q; want 7, out and in, err", got.Exit, got.Stdout, got.Stderr)
		}
		return nil
	}},
	{name: "terminal", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		s, err := b.screen(box)
		if err != nil {
			return err
		}
		out, err := s.do(b.ctx, "tty; echo $((6*7)) $PWD")
		if err != nil {
			return err
		}
		if !strings.Contains(out, "/dev/pts/") || !strings.Contains(out, "\n42 /home/learner\r\n") {
			return fmt.Errorf("terminal printed %q, want a tty, 42 and the home", out)
		}
		return nil
	}},
	{name: "kill-all-spares-the-home", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		s, err := b.screen(box)
		if err != nil {
			return err
		}
		if _, err := s.do(b.ctx, "echo kept >~/kept; old=1"); err != nil {
			return err
		}
		// The shell itself, too: kill spares only who calls it.
		if err := s.view.Write(b.ctx, []byte("sh -c 'kill -9 -1'\n")); err != nil {
			return err
		}
		for exited := false; !exited; {
			out, err := s.view.Next(b.ctx)
			if err != nil {
				return fmt.Errorf("wait for the shell's end: %w", err)
			}
			exited = out.Exit != nil
			s.view.Ack(out.Offset + int64(len(out.Data)))
		}
		s.seen.Reset()
		if err := s.wait(b.ctx, "$ "); err != nil {
			return err
		}
		out, err := s.do(b.ctx, "cat ~/kept; echo old is \"$old\"")
		if err == nil && !(strings.Contains(out, "kept\r\n") && strings.Contains(out, "old is \r\n")) {
			err = fmt.Errorf("after kill -9 -1: %q, want the file, in a new shell", out)
		}
		return err
	}},
	{name: "accounting", body: func(b *bench) error {
		box, err := b.start()
		if err != nil {
			return err
		}
		if slices.Contains(box.Missing(), "accounting") {
			return fmt.Errorf("the guest misses %v", box.Missing())
		}
		if _, err := b.asLearner(box, "cp /bin/true /tmp/counted; /tmp/counted; :"); err != nil {
			return err
		}
		ended, err := b.inside(box, sandbox.Run{Script: []byte("cat $SN_ENDED"), Files: []sandbox.File{{Name: sandbox.RunEnded}}})
		if err != nil {
			return err
		}
		for line := range strings.Lines(ended) {
			f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			if len(f) == 15 && f[4] == "counted" && f[3] == fmt.Sprint(box.UID()) && f[5] == "0" {
				return nil
			}
		}
		return fmt.Errorf("the kernel's record has no process called counted:\n%s", ended)
	}},
	{name: "strace", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		out, err := b.asLearner(box, "strace -f -o ~/trace sh -c '/bin/true'; cat ~/trace")
		if err == nil && !strings.Contains(out, `execve("/bin/true"`) {
			err = fmt.Errorf("strace printed %q", out)
		}
		return err
	}},
	{name: "no-randomize", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		out, err := b.asLearner(box, "for i in 1 2; do setarch -R sed -n '/stack/p' /proc/self/maps; done")
		lines := strings.Split(out, "\n")
		if err == nil && (len(lines) != 3 || lines[0] != lines[1]) {
			err = fmt.Errorf("setarch -R: the stack lies at\n%swant the same place twice", out)
		}
		return err
	}},
	{name: "learner-has-a-name", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		out, err := b.asLearner(box, "id -un; id -gn; echo ~learner; stat -c %U ~")
		if want := "learner\nlearner\n/home/learner\nlearner\n"; err == nil && out != want {
			err = fmt.Errorf("names = %q, want %q", out, want)
		}
		return err
	}},
	{name: "detach-and-adopt", body: func(b *bench) error {
		spec := b.spec()
		box, err := sandbox.Start(b.ctx, b.engine, spec, nil)
		if err != nil {
			return err
		}
		b.undo = append(b.undo, func() { b.remove(spec.ID) })
		_, err = b.asLearner(box, "echo mine >~/mine")
		box.Detach()
		if err != nil {
			return err
		}
		again, err := sandbox.Adopt(b.ctx, b.engine, spec, nil)
		if err != nil {
			return err
		}
		defer again.Detach()
		if out, err := b.asLearner(again, "cat ~/mine"); err != nil || out != "mine\n" {
			return fmt.Errorf("after Adopt: %q, %w", out, err)
		}
		return nil
	}},
	{name: "runs-spare-each-other", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		ctx, stop := context.WithCancel(b.ctx)
		var ending sync.WaitGroup
		for range 4 { // each end looks for what its run has left
			ending.Go(func() {
				for ctx.Err() == nil {
					_, _ = box.Run(ctx, sandbox.Run{Script: []byte(":")})
				}
			})
		}
		defer ending.Wait()
		defer stop()
		for n := range 80 {
			out, err := b.asRoot(box, "sleep 0.01 || echo $?")
			if err == nil && out != "" {
				err = fmt.Errorf("run %d: what it started was ended when another ended: status %s", n, out)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "output-in-bulk", body: func(b *bench) error {
		box, err := b.look()
		if err != nil {
			return err
		}
		want := bytes.Repeat([]byte("0123456789abcde\n"), 60<<10/16)
		got, err := box.Run(b.ctx, sandbox.Run{Script: []byte(`for ((i = 0; i < 3840; i++)); do echo 0123456789abcde; done`), Deadline: 20 * time.Second})
		if err != nil {
			return err
		}
		if !bytes.Equal(got.Stdout, want) {
			return fmt.Errorf("of %d bytes printed %d came, or others", len(want), len(got.Stdout))
		}
		return nil
	}},
}
