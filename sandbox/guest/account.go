package guest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	acctRecord = 64        // bytes of an acct_v3, acct(5)
	acctSwitch = 128 << 10 // a file that grew to this is replaced
	keptEnded  = 4096
	acctForked = 1 // AFORK, in the flags: it never called execve
)

// ended is one process that has ended, as the kernel wrote it down.
type endedProcess struct {
	seq            int64
	pid, ppid, uid uint32
	command        string
	exit, signal   int
	start, end     int64 // Unix milliseconds; the kernel keeps whole seconds and hundredths of them
	minFlt, majFlt int64
	execed         bool   // it ran a program of its own, and was no mere copy of its parent
	tty            uint16 // its controlling terminal as the kernel writes it; 0 without one
	tab            uint32 // the terminal that this is; 0 for none of ours
	// It ended after the byte of its terminal's output that has the number from, and
	// before the one that has to. Only a terminal that was read since knows to: -1 before.
	from, to int64
}

// account reads the kernel's process accounting of this PID namespace, acct(2).
// The learner can neither forge nor stop it. Safe for concurrent use.
type account struct {
	dir string

	mu    sync.Mutex
	file  *os.File
	name  int // of the file
	read  int64
	seq   int64
	told  int64 // what update returned last
	kept  []endedProcess
	ttys  map[uint16]uint32    // the tab that has, or last had, this terminal
	heads map[uint32]placement // by tab
	buf   [16 * acctRecord]byte
}

// placement is up to where the records of a tab have their place in its output.
type placement struct{ seq, head int64 }

// newAccount switches accounting on. It fails where the kernel or the engine has none.
func newAccount(dir string) (*account, error) {
	a := &account{dir: dir, ttys: map[uint16]uint32{}, heads: map[uint32]placement{}}
	if err := a.open(); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *account) open() error {
	path := filepath.Join(a.dir, "ended-"+strconv.Itoa(a.name))
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("open accounting file: %w", err)
	}
	if err := acct(path); err != nil {
		f.Close()
		os.Remove(path)
		return fmt.Errorf("switch accounting on: %w", err)
	}
	a.file, a.read = f, 0
	return nil
}

func acct(path string) error {
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_ACCT, uintptr(unsafe.Pointer(p)), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// update reads what the kernel wrote, and returns the records that it has not
// returned before, as far as they are kept.
func (a *account) update() []endedProcess {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.collect()
	if a.read >= acctSwitch {
		// First the kernel writes to a new file, then the old one is read to its
		// end: no record falls between them.
		old, read := a.file, a.read
		a.name++
		if err := a.open(); err == nil {
			now, at := a.file, a.read
			a.file, a.read = old, read
			a.collect()
			os.Remove(old.Name())
			old.Close()
			a.file, a.read = now, at
		}
	}
	fresh := min(int(a.seq-a.told), len(a.kept))
	a.told = a.seq
	if fresh == 0 {
		return nil
	}
	return append([]endedProcess(nil), a.kept[len(a.kept)-fresh:]...)
}

// collect reads what the kernel wrote since the last call. Under mu.
func (a *account) collect() {
	for {
		n, _ := a.file.ReadAt(a.buf[:], a.read)
		n -= n % acctRecord
		if n == 0 {
			return
		}
		a.read += int64(n)
		for p := a.buf[:n]; len(p) > 0; p = p[acctRecord:] {
			if e, ok := parseRecord(p[:acctRecord]); ok {
				a.seq++
				e.seq, e.tab, e.to = a.seq, a.ttys[e.tty], -1
				e.from = a.heads[e.tab].head
				a.kept = append(a.kept, e)
			}
		}
		if over := len(a.kept) - keptEnded; over > 0 {
			a.kept = append(a.kept[:0], a.kept[over:]...)
		}
	}
}

// seat says that this terminal is the one of tab from now on.
func (a *account) seat(tty uint16, tab uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ttys[tty] = tab
}

// place is called when output of a tab was read, up to the byte before head. The
// processes that ended since the last call did so while it was printed: a shell has
// its children's records written before it prints that they are done.
func (a *account) place(tab uint32, head int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.collect()
	last := a.heads[tab].seq
	for i := len(a.kept) - 1; i >= 0 && a.kept[i].seq > last; i-- {
		if e := &a.kept[i]; e.tab == tab && e.to < 0 {
			e.to = head
		}
	}
	a.heads[tab] = placement{a.seq, head}
}

// parseRecord takes apart an acct_v3, see include/uapi/linux/acct.h.
func parseRecord(p []byte) (endedProcess, bool) {
	if len(p) < acctRecord || p[1]&0x0f != 3 {
		return endedProcess{}, false
	}
	le := binary.NativeEndian
	status := le.Uint32(p[4:])
	start := int64(le.Uint32(p[24:])) * 1000
	// Elapsed time is a float of ticks, a hundred a second.
	elapsed := float64(math.Float32frombits(le.Uint32(p[28:])))
	if !(elapsed >= 0 && elapsed < 1e12) {
		elapsed = 0
	}
	name, _, _ := bytes.Cut(p[48:64], []byte{0})
	return endedProcess{
		execed:  p[0]&acctForked == 0,
		tty:     le.Uint16(p[2:]),
		uid:     le.Uint32(p[8:]),
		pid:     le.Uint32(p[16:]),
		ppid:    le.Uint32(p[20:]),
		command: printable(name),
		exit:    int(status >> 8 & 0xff),
		signal:  int(status & 0x7f),
		start:   start,
		end:     start + int64(elapsed*10),
		minFlt:  comp(le.Uint16(p[42:])),
		majFlt:  comp(le.Uint16(p[44:])),
	}, true
}

// comp decodes comp_t: a 3-bit exponent of 8 and a 13-bit mantissa, acct(5).
func comp(c uint16) int64 { return int64(c&0x1fff) << (3 * (c >> 13)) }

func printable(name []byte) string {
	out := make([]byte, len(name))
	for i, b := range name {
		if b < 0x20 || b == 0x7f {
			b = '?'
		}
		out[i] = b
	}
	return string(out)
}

// ttyNumber is how the kernel writes down a device in a record: in the 16 bits that
// it had of old.
func ttyNumber(device uint64) uint16 {
	return uint16(unix.Major(device)<<8 | unix.Minor(device))
}

// table is what a check reads as SN_ENDED.
func (a *account) table() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.collect()
	var b []byte
	for _, e := range a.kept {
		execed := 0
		if e.execed {
			execed = 1
		}
		b = fmt.Appendf(b, "%d\t%d\t%d\t%d\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n",
			e.seq, e.pid, e.ppid, e.uid, e.command, e.exit, e.signal, e.start, e.end, e.minFlt, e.majFlt,
			execed, e.tab, e.from, e.to)
	}
	return b
}

// forget drops what is kept, after a reset.
func (a *account) forget() {
	a.update()
	a.mu.Lock()
	a.kept = nil
	a.mu.Unlock()
}
