package guest

import (
	"fmt"
	"maps"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sysnerd/sandbox/link"
	"sysnerd/sandbox/pidlink/inlet"
)

// stateDir holds what only root may see.
const stateDir = "/run/sysnerd"

// Guest is PID 1 of a sandbox.
type Guest struct {
	children children
	cgroup   cgroup
	started  time.Time
	current  atomic.Pointer[conn] // the link with the newest epoch

	gate sync.RWMutex // held for writing while everything is being ended

	opening sync.Mutex // held while a terminal is made

	mu        sync.Mutex
	greeted   bool
	epoch     int64
	setup     link.Setup // fixed by the first hello
	missing   []string
	account   *account
	watch     *watch
	wall      *wall
	terminals map[uint32]*terminal
	runs      map[uint32]*run
	used      bool // a script ran since the heap was last given back
}

// Serve is the guest's life: it speaks over standard input and output, and over
// every connection to the socket that it inherited, if it did. It returns when it
// gets SIGTERM. It says nothing until it is greeted.
func Serve() error {
	socket, err := inheritedSocket() // first of all, so that no child is ever given it
	if err != nil {
		return err
	}
	// The heap is some hundred KiB, and memory is what limits how many learners
	// fit: collect long before the runtime's usual 4 MiB.
	debug.SetGCPercent(20)
	signals := make(chan os.Signal, 64)
	// Caught and passed over, not ignored: what is ignored stays so in every shell.
	signal.Notify(signals, unix.SIGCHLD, unix.SIGTERM, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT)
	g := &Guest{
		children:  children{waiting: map[int]chan<- syscall.WaitStatus{}},
		cgroup:    findCgroup("/sys/fs/cgroup"),
		started:   time.Now(),
		terminals: map[uint32]*terminal{},
		runs:      map[uint32]*run{},
	}
	// So that nothing of the guest leaks into the shell, only root may look in.
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", stateDir, err)
	}
	stdio, err := g.stdioLink()
	if err != nil {
		return fmt.Errorf("open link: %w", err)
	}
	brought, err := inlet.Listen()
	if err != nil {
		return fmt.Errorf("open link: %w", err)
	}
	go g.accept(brought.Accept)
	if stdio == nil && socket < 0 {
		return fmt.Errorf("no link: standard input is no stream, and LISTEN_FDS names no socket")
	}
	if stdio != nil {
		go g.serve(stdio)
	}
	if socket >= 0 {
		go g.listen(socket)
	}
	for s := range signals {
		if s == unix.SIGTERM {
			return nil
		}
		if s == unix.SIGCHLD {
			g.children.reap()
		}
	}
	return nil
}

// link is the link that gets output, or nil before the first hello.
func (g *Guest) link() *conn { return g.current.Load() }

// drained lets terminals send again.
func (g *Guest) drained() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.terminals {
		t.poke()
	}
}

func (g *Guest) handle(c *conn, f link.Frame) {
	if f.Kind == link.KindHello {
		g.hello(c, f)
		return
	}
	if g.link() != c {
		return // not greeted, or of an older epoch
	}
	switch f.Kind {
	case link.KindOpen:
		var o link.Open
		if f.JSON(&o) == nil {
			go g.open(c, f.Stream, o)
		}
	case link.KindRun:
		var spec link.Run
		if f.JSON(&spec) == nil {
			g.announce(c, f.Stream, spec)
		}
	case link.KindRunData, link.KindCancel:
		g.mu.Lock()
		r := g.runs[f.Stream]
		g.mu.Unlock()
		switch {
		case r == nil:
		case f.Kind == link.KindCancel:
			r.stop()
		default:
			r.feed(f.Payload)
		}
	case link.KindKill:
		var k link.Kill
		if f.JSON(&k) != nil {
			return
		}
		go func() {
			var d link.Done
			if err := g.kill(k); err != nil {
				d.Error = err.Error()
			}
			c.sendJSON(link.KindDone, f.Stream, d)
		}()
	case link.KindSample:
		go func() { c.sendJSON(link.KindSampled, f.Stream, g.sample()) }()
	case link.KindPing:
		c.send(link.Frame{Kind: link.KindPong, Stream: f.Stream})
	default:
		g.terminalFrame(c, f)
	}
}

// terminalFrame handles what goes to a terminal that is open.
func (g *Guest) terminalFrame(c *conn, f link.Frame) {
	g.mu.Lock()
	t := g.terminals[f.Stream]
	g.mu.Unlock()
	if t == nil {
		return
	}
	switch f.Kind {
	case link.KindInput:
		t.typed(f.Payload)
	case link.KindInterrupt:
		t.interrupt()
	case link.KindCredit:
		if offset, _, err := f.Offset(); err == nil {
			t.grant(offset)
		}
	case link.KindResize:
		var s link.Size
		if f.JSON(&s) == nil {
			t.resize(s)
		}
	case link.KindSeen:
		if offset, _, err := f.Offset(); err == nil {
			t.seen(c, offset)
		}
	case link.KindReturn:
		var r link.Return
		if f.JSON(&r) == nil {
			t.returned(c, r)
		}
	}
}

// hello makes c the link, unless a newer one was greeted before.
func (g *Guest) hello(c *conn, f link.Frame) {
	var h link.Hello
	if f.JSON(&h) != nil || h.Setup.Check() != nil {
		return
	}
	g.mu.Lock()
	newest := g.epoch
	if h.Version == link.Version {
		g.epoch = max(g.epoch, h.Epoch)
	}
	stale := slices.Collect(maps.Values(g.runs))
	g.mu.Unlock()
	if h.Version != link.Version || h.Epoch <= newest {
		c.begin()
		c.sendJSON(link.KindRejected, 0, link.Rejected{Version: link.Version, Epoch: newest})
		return
	}
	for _, r := range stale {
		r.stop() // nobody waits for its result any more
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.greeted {
		g.setup = h.Setup
		g.prepare()
		g.greeted = true
	}
	w := link.Welcome{Version: link.Version, Epoch: h.Epoch, Missing: g.missing, Started: g.started.UnixMilli()}
	if !c.accepted { // descriptors go over a socket alone
		w.Missing = append(slices.Clone(w.Missing), "handover")
	}
	older, lent := g.current.Swap(c), false
	for _, t := range g.terminals {
		lent = t.lentTo(older) && older != nil || lent
		w.Terminals = append(w.Terminals, t.leave())
	}
	if older != nil && older != c {
		older.cut(lent)
	}
	c.begin()
	c.sendJSON(link.KindWelcome, 0, w)
}

// prepare does once what needs the setup. What the engine lacks is named, not fatal.
func (g *Guest) prepare() {
	lacks := func(what string, err error) {
		if err != nil {
			g.missing = append(g.missing, what)
			fmt.Fprintln(os.Stderr, "guest:", err)
		}
	}
	lacks("names", writeNames(g.setup))
	// The host has 4096 ptys for everybody, and a learner could open them all.
	lacks("pty-guard", os.Chmod("/dev/pts/ptmx", 0o600))
	var err error
	g.account, err = newAccount(stateDir)
	lacks("accounting", err)
	g.watch, err = newWatch(g.setup.UID)
	lacks("inotify", err)
	lacks("answer", g.listenAnswers())
	g.wall = newWall(g.cgroup, g.account, g.setup.UID)
	go (&health{g: g}).watch()
}

// writeNames gives root and the learner their names; /etc/passwd and /etc/group
// are links to these files.
func writeNames(s link.Setup) error {
	passwd := fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\nlearner:x:%d:%d:learner:%s:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n", s.UID, s.UID, s.Home)
	group := fmt.Sprintf("root:x:0:\ntty:x:5:\nlearner:x:%d:\nnogroup:x:65534:\n", s.UID)
	if err := os.WriteFile("/run/passwd", []byte(passwd), 0o644); err != nil {
		return fmt.Errorf("write passwd: %w", err)
	}
	if err := os.WriteFile("/run/group", []byte(group), 0o644); err != nil {
		return fmt.Errorf("write group: %w", err)
	}
	return nil
}

// open opens a terminal, or lets the server join the one that is open.
func (g *Guest) open(c *conn, tab uint32, o link.Open) {
	g.opening.Lock()
	defer g.opening.Unlock()
	t, err := g.terminal(tab, o)
	if err != nil {
		c.sendJSON(link.KindOpened, tab, link.Opened{Tab: int(tab), Error: err.Error()})
		return
	}
	c.sendJSON(link.KindOpened, tab, t.join(c, o.Since))
	if o.Handover && c.accepted {
		t.want(c)
	}
	t.poke()
}

func (g *Guest) terminal(tab uint32, o link.Open) (*terminal, error) {
	if tab < 1 || tab > link.MaxTabs {
		return nil, fmt.Errorf("there is no tab %d: want 1 to %d", tab, link.MaxTabs)
	}
	g.mu.Lock()
	t := g.terminals[tab]
	g.mu.Unlock()
	if t != nil {
		// The server before may have gone between two sizes.
		t.resize(link.Size{Cols: o.Cols, Rows: o.Rows})
		return t, nil
	}
	t, err := g.newTerminal(tab, o.Cols, o.Rows)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	g.terminals[tab] = t
	g.mu.Unlock()
	return t, nil
}

// Main is what the program does: it serves as PID 1, or is a child of the one
// that does and becomes the learner.
func Main(args []string) error {
	if len(args) == 0 {
		return Serve()
	}
	switch args[0] {
	case "enter":
		return Enter(args[1:])
	case "wipe":
		return Wipe(args[1:])
	}
	return fmt.Errorf("unknown word %q: want none, enter or wipe", args[0])
}
