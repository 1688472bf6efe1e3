package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox"
)

// Names of the two FIFOs in a sandbox's folder that are its guest's standard input and
// output where it can be given no socket to listen on.
const (
	inName  = "in"
	outName = "out"
)

// makePipes makes a sandbox's FIFOs and opens the guest's ends. Its input stays open
// while no server is there; what it says then goes nowhere, as it must not wait for that.
func makePipes(folder string) (in, out *os.File, err error) {
	inPath, outPath := filepath.Join(folder, inName), filepath.Join(folder, outName)
	for _, path := range []string{inPath, outPath} {
		if err := unix.Mkfifo(path, 0o600); err != nil {
			return nil, nil, &fs.PathError{Op: "mkfifo", Path: path, Err: err}
		}
	}
	if in, err = os.OpenFile(inPath, os.O_RDWR, 0); err != nil {
		return nil, nil, err
	}
	reader, err := os.OpenFile(outPath, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err == nil { // without one it could not be opened for writing
		out, err = os.OpenFile(outPath, os.O_WRONLY, 0)
		_ = reader.Close()
	}
	if err != nil {
		_ = in.Close()
		return nil, nil, err
	}
	return in, out, nil
}

// pipes is a server's end of a sandbox's FIFOs.
type pipes struct{ in, out *os.File }

// openPipes opens them. Errors: ErrNotFound, ErrNotRunning.
func openPipes(folder string) (*pipes, error) {
	out, err := os.OpenFile(filepath.Join(folder, outName), os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err == nil {
		var in *os.File
		if in, err = os.OpenFile(filepath.Join(folder, inName), os.O_WRONLY|unix.O_NONBLOCK, 0); err == nil {
			return &pipes{in, out}, nil
		}
		_ = out.Close()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, sandbox.ErrNotFound // removed meanwhile
	case errors.Is(err, unix.ENXIO):
		return nil, sandbox.ErrNotRunning // ended meanwhile: nobody reads
	}
	return nil, err
}

func (p *pipes) Read(b []byte) (int, error)         { return p.out.Read(b) }
func (p *pipes) Write(b []byte) (int, error)        { return p.in.Write(b) }
func (p *pipes) SetWriteDeadline(t time.Time) error { return p.in.SetWriteDeadline(t) }
func (p *pipes) Close() error                       { return errors.Join(p.in.Close(), p.out.Close()) }

// attached are the pipes that are open, by sandbox. Two who read one FIFO would each get
// a part of what the guest says, so the next closes those of the one before.
type attached struct {
	mu   sync.Mutex
	last map[string]*pipes
}

func (a *attached) open(id, folder string) (*pipes, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if before := a.last[id]; before != nil {
		_ = before.Close() // which it may be already
	}
	p, err := openPipes(folder)
	if err != nil {
		return nil, err
	}
	if a.last == nil {
		a.last = map[string]*pipes{}
	}
	a.last[id] = p
	return p, nil
}

// forget lets go of those of a sandbox that is removed. Who reads them sees it end.
func (a *attached) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.last, id)
}
