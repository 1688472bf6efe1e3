package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"sysnerd/sandbox"
	"sysnerd/sandbox/link"
)

// verbs are what the five methods owe, without package sandbox above them.
var verbs = []test{
	{name: "create-listed", body: func(b *bench) error {
		spec := b.spec()
		if err := b.create(spec); err != nil {
			return err
		}
		got, ok, err := b.listed(spec.ID)
		want := sandbox.Listed{ID: spec.ID, Lab: spec.Lab, UID: spec.UID, Expires: got.Expires, Running: true}
		if err != nil || !ok || got != want || !got.Expires.Equal(spec.Expires) {
			return fmt.Errorf("list = %+v, %t, %v; want %+v, expiring %s", got, ok, err, want, spec.Expires)
		}
		return nil
	}},
	{name: "create-exists", body: func(b *bench) error {
		spec := b.spec()
		if err := b.create(spec); err != nil {
			return err
		}
		if err := b.engine.Create(b.ctx, spec); !errors.Is(err, sandbox.ErrExists) {
			return fmt.Errorf("second Create = %v, want ErrExists", err)
		}
		if got, _, err := b.listed(spec.ID); err != nil || !got.Running {
			return fmt.Errorf("after the second Create, the first: %+v, %v; want it running", got, err)
		}
		return nil
	}},
	{name: "create-refused-leaves-nothing", body: func(b *bench) error {
		var wrong []error
		cancelled, cancel := context.WithCancel(b.ctx)
		cancel()
		for _, c := range []struct {
			what   string
			ctx    context.Context
			change func(*sandbox.Spec)
			want   error
		}{
			{"without its image", b.ctx, func(s *sandbox.Spec) { s.Image = "sysnerd/there-is-no-such-image:1" }, sandbox.ErrImageMissing},
			{"cancelled before", cancelled, func(*sandbox.Spec) {}, context.Canceled},
			{"of root", b.ctx, func(s *sandbox.Spec) { s.UID = 0 }, nil},
			{"of another instance", b.ctx, func(s *sandbox.Spec) { s.Instance = "other" }, nil},
			{"with absurd inodes", b.ctx, func(s *sandbox.Spec) { s.Limits.Inodes = 1 << 40 }, nil},
			{"with home as large as memory", b.ctx, func(s *sandbox.Spec) { s.Limits.Home = s.Limits.Memory }, nil},
		} {
			spec := b.spec()
			c.change(&spec)
			b.undo = append(b.undo, func() { b.remove(spec.ID) })
			if err := b.engine.Create(c.ctx, spec); err == nil || c.want != nil && !errors.Is(err, c.want) {
				wrong = append(wrong, fmt.Errorf("create %s = %v, want error %v", c.what, err, c.want))
			}
			if got, ok, err := b.listed(spec.ID); ok || err != nil {
				wrong = append(wrong, fmt.Errorf("create %s left %+v, %v", c.what, got, err))
			}
		}
		return errors.Join(wrong...)
	}},
	{name: "create-once-of-many", body: func(b *bench) error {
		spec := b.spec()
		b.undo = append(b.undo, func() { b.remove(spec.ID) })
		results := make([]error, 4)
		var all sync.WaitGroup
		for i := range results {
			all.Go(func() { results[i] = b.engine.Create(b.ctx, spec) })
		}
		all.Wait()
		made := 0
		for _, err := range results {
			switch {
			case err == nil:
				made++
			case !errors.Is(err, sandbox.ErrExists):
				return fmt.Errorf("create of one id by four = %v", results)
			}
		}
		got, _, err := b.listed(spec.ID)
		if made != 1 || err != nil || !got.Running {
			return fmt.Errorf("%d of four Creates of one id made it, List has %+v, %v; want 1, and it runs", made, got, err)
		}
		return nil
	}},
	{name: "unknown-id", body: func(b *bench) error {
		var wrong []error
		for _, id := range []string{b.spec().ID, "", "../../x", "a/b?force=1"} {
			if _, err := b.engine.Attach(b.ctx, id); !errors.Is(err, sandbox.ErrNotFound) {
				wrong = append(wrong, fmt.Errorf("attach(%q) = %v, want ErrNotFound", id, err))
			}
			if err := b.engine.Update(b.ctx, id, sandbox.DefaultLimits()); !errors.Is(err, sandbox.ErrNotFound) {
				wrong = append(wrong, fmt.Errorf("update(%q) = %v, want ErrNotFound", id, err))
			}
			if err := b.engine.Remove(b.ctx, id); err != nil {
				wrong = append(wrong, fmt.Errorf("remove(%q) = %v, want nil", id, err))
			}
		}
		return errors.Join(wrong...)
	}},
	{name: "attach-again", body: func(b *bench) error {
		spec := b.spec()
		if err := b.create(spec); err != nil {
			return err
		}
		var first int64
		for epoch := int64(1); epoch <= 5; epoch++ {
			l, err := b.greet(spec, epoch)
			if err != nil {
				return fmt.Errorf("link %d: %w", epoch, err)
			}
			if first == 0 {
				first = l.welcome.Started
			}
			if l.welcome.Started != first {
				return fmt.Errorf("link %d: the guest started at %d, and at %d before", epoch, l.welcome.Started, first)
			}
			if err := l.stream.Close(); err != nil {
				return fmt.Errorf("close = %w", err)
			}
			if n, err := l.stream.Read(make([]byte, 1)); n != 0 || err == nil {
				return fmt.Errorf("read after Close = %d, %v; want an error", n, err)
			}
		}
		return nil
	}},
	{name: "close-ends-a-blocked-read", body: func(b *bench) error {
		spec := b.spec()
		if err := b.create(spec); err != nil {
			return err
		}
		l, err := b.greet(spec, 1)
		if err != nil {
			return err
		}
		read := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, l.stream)
			read <- err
		}()
		_ = l.stream.Close()
		select {
		case <-read:
			return nil
		case <-b.ctx.Done():
			return errors.New("read still blocks after Close")
		}
	}},
	{name: "end-is-eof", body: func(b *bench) error {
		spec := b.spec()
		if err := b.create(spec); err != nil {
			return err
		}
		l, err := b.greet(spec, 1)
		if err != nil {
			return err
		}
		defer l.stream.Close()
		if err := l.run("kill -TERM 1"); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, l.stream); err != nil {
			return fmt.Errorf("read until PID 1 ended = %w, want io.EOF", err)
		}
		return b.ended(spec)
	}},
	{name: "remove-while-attached", body: func(b *bench) error {
		spec := b.spec()
		if err := b.create(spec); err != nil {
			return err
		}
		l, err := b.greet(spec, 1)
		if err != nil {
			return err
		}
		defer l.stream.Close()
		if err := b.engine.Remove(b.ctx, spec.ID); err != nil {
			return err
		}
		if _, ok, err := b.listed(spec.ID); ok || err != nil {
			return fmt.Errorf("after Remove, List has it: %t, %v", ok, err)
		}
		if _, err := io.Copy(io.Discard, l.stream); err != nil {
			return fmt.Errorf("read after Remove = %w, want io.EOF", err)
		}
		if err := b.engine.Remove(b.ctx, spec.ID); err != nil {
			return fmt.Errorf("second Remove = %w, want nil", err)
		}
		return b.engine.Create(b.ctx, spec) // its name is free again
	}},
	{name: "remove-by-many", body: func(b *bench) error {
		spec := b.spec()
		if err := b.create(spec); err != nil {
			return err
		}
		results := make([]error, 4)
		var all sync.WaitGroup
		for i := range results {
			all.Go(func() { results[i] = b.engine.Remove(b.ctx, spec.ID) })
		}
		all.Wait()
		if _, ok, err := b.listed(spec.ID); ok || err != nil || errors.Join(results...) != nil {
			return fmt.Errorf("remove of one id by four = %v, then List has it: %t, %v", results, ok, err)
		}
		return nil
	}},
	{name: "many-at-once", body: func(b *bench) error {
		const n = 6
		specs, results := make([]sandbox.Spec, n), make([]error, n)
		var all sync.WaitGroup
		for i := range specs {
			specs[i] = b.spec()
			b.undo = append(b.undo, func() { b.remove(specs[i].ID) })
			all.Go(func() {
				var l *rawLink
				err := b.engine.Create(b.ctx, specs[i])
				if err == nil {
					l, err = b.greet(specs[i], 1)
				}
				if err == nil {
					err = l.stream.Close()
				}
				results[i] = err
			})
		}
		all.Wait()
		return errors.Join(results...)
	}},
	{name: "instances-apart", body: func(b *bench) error {
		spec := b.spec()
		if err := b.create(spec); err != nil {
			return err
		}
		for _, instance := range []string{b.instance + "1", b.instance[:len(b.instance)-1], "other"} {
			other := b.cfg.Open(b.t, instance)
			all, err := other.List(b.ctx)
			if err != nil || slices.ContainsFunc(all, func(l sandbox.Listed) bool { return l.ID == spec.ID }) {
				return fmt.Errorf("list of instance %s = %v, %v; it is %s's", instance, all, err, b.instance)
			}
			if _, err := other.Attach(b.ctx, spec.ID); !errors.Is(err, sandbox.ErrNotFound) {
				return fmt.Errorf("attach by instance %s = %v, want ErrNotFound", instance, err)
			}
			if err := other.Update(b.ctx, spec.ID, spec.Limits); !errors.Is(err, sandbox.ErrNotFound) {
				return fmt.Errorf("update by instance %s = %v, want ErrNotFound", instance, err)
			}
			if err := other.Remove(b.ctx, spec.ID); err != nil {
				return fmt.Errorf("remove by instance %s = %v, want nil", instance, err)
			}
		}
		if got, _, err := b.listed(spec.ID); err != nil || !got.Running {
			return fmt.Errorf("after other instances had their way: %+v, %v; want it running", got, err)
		}
		return nil
	}},
}

// ended says what is wrong with a sandbox whose PID 1 has ended.
func (b *bench) ended(spec sandbox.Spec) error {
	for { // the stream may end a moment before the engine notes why
		got, ok, err := b.listed(spec.ID)
		if err != nil || !ok {
			return fmt.Errorf("list of an ended sandbox = %t, %w; want it there", ok, err)
		}
		if !got.Running {
			break
		}
		if err := b.pause(); err != nil {
			return errors.New("PID 1 has ended, and List says that it runs")
		}
	}
	if _, err := b.engine.Attach(b.ctx, spec.ID); !errors.Is(err, sandbox.ErrNotRunning) {
		return fmt.Errorf("attach to an ended sandbox = %v, want ErrNotRunning", err)
	}
	if err := b.engine.Update(b.ctx, spec.ID, spec.Limits); !errors.Is(err, sandbox.ErrNotRunning) {
		return fmt.Errorf("update of an ended sandbox = %v, want ErrNotRunning", err)
	}
	if err := b.engine.Create(b.ctx, spec); !errors.Is(err, sandbox.ErrExists) {
		return fmt.Errorf("create of an ended sandbox = %v, want ErrExists", err)
	}
	return b.engine.Remove(b.ctx, spec.ID)
}

// pause is for waiting on what tells nobody when it happens; it fails when the test's time is over.
func (b *bench) pause() error {
	select {
	case <-time.After(5 * time.Millisecond):
		return nil
	case <-b.ctx.Done():
		return b.ctx.Err()
	}
}

// rawLink is a link for tests of the engine alone: one message at a time.
type rawLink struct {
	stream  io.ReadWriteCloser
	decoder link.Decoder
	welcome link.Welcome
}

// greet attaches and exchanges hello and welcome with the guest.
func (b *bench) greet(spec sandbox.Spec, epoch int64) (*rawLink, error) {
	stream, err := b.engine.Attach(b.ctx, spec.ID)
	if err != nil {
		return nil, err
	}
	l := &rawLink{stream: stream}
	stop := context.AfterFunc(b.ctx, func() { _ = stream.Close() })
	defer stop()
	hello, err := link.AppendJSON([]byte{link.End}, link.KindHello, 0, link.Hello{
		Version: link.Version,
		Epoch:   epoch,
		Setup:   link.Setup{UID: spec.UID, Processes: spec.Limits.LearnerProcesses, Home: sandbox.Home},
	})
	if err != nil {
		return nil, err
	}
	if _, err := stream.Write(hello); err != nil {
		return nil, err
	}
	err = l.until(link.KindWelcome, func(f link.Frame) error { return f.JSON(&l.welcome) })
	if err == nil && l.welcome.Epoch != epoch {
		err = fmt.Errorf("welcome of epoch %d, want %d", l.welcome.Epoch, epoch)
	}
	if err != nil {
		_ = stream.Close()
		return nil, fmt.Errorf("greet the guest: %w", err)
	}
	return l, nil
}

var errFound = errors.New("found")

// until reads up to the first frame of that kind; what follows it in the same read is lost.
func (l *rawLink) until(kind link.Kind, f func(link.Frame) error) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := l.stream.Read(buf)
		if fed := l.decoder.Feed(buf[:n], func(got link.Frame) error {
			if got.Kind != kind {
				return nil
			}
			if err := f(got); err != nil {
				return err
			}
			return errFound
		}); errors.Is(fed, errFound) {
			return nil
		} else if fed != nil {
			return fed
		}
		if err != nil {
			return err
		}
	}
}

// run starts a script and does not wait for it.
func (l *rawLink) run(script string) error {
	p, err := link.AppendJSON(nil, link.KindRun, 1, link.Run{Script: len(script), Deadline: 5000, Output: 1024})
	if err == nil {
		p, err = link.Append(p, link.Frame{Kind: link.KindRunData, Stream: 1, Payload: []byte(script)})
	}
	if err == nil {
		_, err = l.stream.Write(p)
	}
	return err
}
