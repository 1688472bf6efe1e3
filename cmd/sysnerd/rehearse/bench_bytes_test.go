package rehearse

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"sysnerd/cmd/sysnerd/service"
)

// line is a shell behind a WebSocket, whoever serves it.
type line struct {
	name    string
	socket  *websocket.Conn
	peer    *peer // nil for our own protocol
	acks    bool
	offset  int64
	acked   int64
	read    []byte // holds one message
	serving []int  // pids of the server
}

func (l *line) typed(b *testing.B, text string) {
	kind := websocket.BinaryMessage
	if l.peer != nil {
		kind, text = websocket.TextMessage, l.peer.input+text // gotty reads no other
	}
	if err := l.socket.WriteMessage(kind, []byte(text)); err != nil {
		b.Fatal(err)
	}
}

// maxMessage is more than anybody sends at once.
const maxMessage = 256 << 10

// message reads into what is there already. ReadMessage makes garbage of several times
// what comes, and the client has no more than the CPUs that it measures.
func (l *line) message(b *testing.B) (kind int, p []byte) {
	if l.read == nil {
		l.read = make([]byte, maxMessage)
	}
	kind, r, err := l.socket.NextReader()
	n := 0
	if err == nil {
		n, err = io.ReadFull(r, l.read)
	}
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		b.Fatalf("%s: a message of %d bytes and more: %v", l.name, n, err)
	}
	return kind, l.read[:n]
}

// next returns the next output. It is valid until the next call.
func (l *line) next(b *testing.B) []byte {
	for {
		kind, p := l.message(b)
		switch {
		case l.peer != nil:
			if p, ok := bytes.CutPrefix(p, []byte(l.peer.output)); ok {
				return l.peer.decode(b, p)
			}
		case kind == websocket.BinaryMessage:
			l.offset += int64(len(p))
			return p
		default:
			if at, ok := offsetIn(p); ok {
				l.offset = at
			}
		}
	}
}

// ack tells the server what was read, once it is as much as step.
func (l *line) ack(b *testing.B, step int64) {
	if l.acks && l.offset-l.acked >= step {
		l.acked = l.offset
		if err := l.socket.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"type":"ack","offset":%d}`, l.offset)); err != nil {
			b.Fatal(err)
		}
	}
}

func (l *line) until(b *testing.B, mark string) {
	var seen []byte
	for !bytes.Contains(seen, []byte(mark)) {
		seen = append(seen, l.next(b)...)
		l.ack(b, 1)
	}
}

// peer is another program that puts a shell behind a WebSocket. What it sends and
// takes has a letter in front.
type peer struct {
	name          string
	args          []string // without the port
	subprotocol   string
	hello         string
	input, output string // the letter in front of what is typed, of what is printed
	decode        func(*testing.B, []byte) []byte
}

// peers are compared where they are installed.
var peers = []peer{
	{
		name: "ttyd", args: []string{"-W", "-i", "127.0.0.1"}, subprotocol: "tty",
		hello: `{"AuthToken":"","columns":200,"rows":40}`, input: "0", output: "0",
		decode: func(_ *testing.B, p []byte) []byte { return p },
	},
	{
		name: "gotty", args: []string{"-w", "-a", "127.0.0.1"}, subprotocol: "webtty",
		hello: `{"Arguments":"","AuthToken":""}`, input: "1", output: "1",
		decode: func(b *testing.B, p []byte) []byte {
			n, err := base64.StdEncoding.Decode(p, p)
			if err != nil {
				b.Fatal(err)
			}
			return p[:n]
		},
	},
}

// onBoth runs a benchmark on Docker, beside those peers that are installed, and on
// the local engine.
func onBoth(b *testing.B, run func(*testing.B, []*line)) {
	b.Run(service.Docker, func(b *testing.B) { run(b, connect(b, service.Docker, peers)) })
	b.Run(service.Local, func(b *testing.B) { run(b, connect(b, service.Local, nil)) })
}

// connect has sysnerd on that engine, the floor, and peers.
func connect(b *testing.B, engine string, peers []peer) []*line {
	b.Helper()
	s := on(b, engine, 1)
	who := newPerson(s.URL)
	b.Cleanup(who.close)
	c := courseOf(b, s.URL)
	l := newLearner(Config{URL: s.URL}, c, newRecord(), 0)
	l.who = who
	if err := l.page(b.Context()); err != nil {
		b.Fatal(err)
	}
	if _, err := l.claim(b.Context()); err != nil {
		b.Fatal(err)
	}
	own := &line{name: "sysnerd", acks: true, serving: []int{s.cmd.Process.Pid}}
	own.socket = dial(b, s.URL+l.box.Terminal+"?cols=200&rows=40", websocket.Dialer{Jar: who.client.Jar, Subprotocols: []string{subprotocol}}, http.Header{"Origin": {s.URL}})
	address, pid := child(b, "floor")
	all := []*line{own, {name: "floor", socket: dial(b, address, websocket.Dialer{}, nil), serving: []int{pid}}}
	for i := range peers {
		path, err := exec.LookPath(peers[i].name)
		if err != nil {
			fmt.Println(peers[i].name, "is not on the PATH: not compared")
			continue
		}
		all = append(all, peers[i].start(b, path))
	}
	return all
}

func dial(b *testing.B, address string, d websocket.Dialer, h http.Header) *websocket.Conn {
	b.Helper()
	socket, _, err := d.DialContext(b.Context(), "ws"+strings.TrimPrefix(address, "http"), h)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { socket.Close() })
	return socket
}

// start runs the peer with a shell, and attaches to it.
func (p *peer) start(b *testing.B, path string) *line {
	b.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := free.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	free.Close()
	served := exec.Command(path, append(slices.Clone(p.args), "-p", port, "bash", "--norc")...)
	if err := served.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = served.Process.Kill()
		_ = served.Wait()
	})
	for {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			break
		}
		pause(b.Context(), 20*time.Millisecond)
	}
	l := &line{name: p.name, peer: p, serving: []int{served.Process.Pid}}
	l.socket = dial(b, "http://"+address+"/ws", websocket.Dialer{Subprotocols: []string{p.subprotocol}}, http.Header{"Origin": {"http://" + address}})
	if err := l.socket.WriteMessage(websocket.TextMessage, []byte(p.hello)); err != nil {
		b.Fatal(err)
	}
	return l
}

// ready has each shell give back what it gets, by a program that wakes up for it.
func ready(b *testing.B, all []*line, command string) {
	for _, l := range all {
		l.typed(b, "PS1='% '; stty raw -echo; echo re$((1))ady; "+command+"\n")
		l.until(b, "re1ady\n")
	}
}

// BenchmarkKey is one key there and back through processes of their own.
func BenchmarkKey(b *testing.B) { onBoth(b, keys) }

func keys(b *testing.B, all []*line) {
	ready(b, all, "exec cat")
	took := map[string][]time.Duration{}
	for i := 0; b.Loop(); i++ {
		for j := range all {
			l := all[(i+j)%len(all)] // another first each time
			pause(b.Context(), 5*time.Millisecond)
			key := string(rune('a' + i%26))
			began := time.Now()
			l.typed(b, key)
			got := l.next(b)
			took[l.name] = append(took[l.name], time.Since(began))
			if string(got) != key {
				b.Fatalf("%s: typed %q, %q came back", l.name, key, got)
			}
			l.ack(b, 1)
		}
	}
	b.ReportMetric(0, "ns/op")
	for name := range maps.Keys(took) {
		b.ReportMetric(quantile(took[name], 0.5), name+"-p50-ms")
		b.ReportMetric(quantile(took[name], 0.95), name+"-p95-ms")
	}
	b.ReportMetric(quantile(took["sysnerd"], 0.5)/quantile(took["floor"], 0.5), "p50/floor≤1.15")
	b.ReportMetric(quantile(took["sysnerd"], 0.95)/quantile(took["floor"], 0.95), "p95/floor≤1.15")
}

// bulk is how much output each prints, in bytes: a file as large as a sandbox's /dev/shm
// takes, so many times.
const (
	bulk  = 40_000_000
	times = 5
)

// BenchmarkBulk is output as fast as it comes, and the CPU that it costs; shells
// and client are left out. One program prints a file that is there already, in memory as
// with us: two and a pipe need more than the one CPU that a sandbox has, and floor has no
// such limit.
func BenchmarkBulk(b *testing.B) { onBoth(b, floods) }

func floods(b *testing.B, all []*line) {
	const file = "/dev/shm/sysnerd-bulk"
	b.Cleanup(func() { os.Remove(file) })
	for _, l := range all {
		l.typed(b, "stty raw -echo; yes "+strings.Repeat("x", 79)+" | head -c "+strconv.Itoa(bulk/times)+" >"+file+"; echo re$((1))ady\n")
		l.until(b, "re1ady\n")
	}
	mark := []byte("do1ne")
	wall, own, chain, rounds := map[string][]time.Duration{}, map[string]float64{}, map[string]float64{}, 0
	for i := 0; b.Loop(); i++ {
		rounds++
		for j := range all {
			l := all[(i+j)%len(all)]
			l.typed(b, "stty raw -echo; cat"+strings.Repeat(" "+file, times)+"; echo do$((1))ne\n")
			before, others := cpuOf(l.serving), engineCPU()
			began := time.Now()
			printed := 0
			for done, end := false, []byte(nil); !done; {
				p := l.next(b)
				printed += len(p)
				done = bytes.Contains(p, mark) || bytes.Contains(append(end, p[:min(len(p), len(mark))]...), mark)
				end = append([]byte(nil), p[max(0, len(p)-len(mark)):]...)
				l.ack(b, 32<<10)
			}
			if printed < bulk {
				b.Fatalf("%s printed %d bytes, want %d and more", l.name, printed, bulk)
			}
			wall[l.name] = append(wall[l.name], time.Since(began))
			used := cpuOf(l.serving) - before
			own[l.name] += used
			chain[l.name] += used
			if l.acks {
				chain[l.name] += engineCPU() - others
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	gb := float64(rounds) * bulk / 1e9
	for name := range maps.Keys(wall) {
		b.ReportMetric(bulk/1e3/quantile(wall[name], 0.5), name+"-MB/s")
		b.ReportMetric(own[name]/gb, name+"-s/GB")
	}
	b.ReportMetric(bulk/1e3/quantile(wall["sysnerd"], 0.5), "MB/s≥30")
	// Each round's own ratio, since the machine is another one a second later; the middle
	// half says how much of it is noise.
	var ratios []float64
	for i, d := range wall["floor"] {
		ratios = append(ratios, d.Seconds()/wall["sysnerd"][i].Seconds())
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/4], "rate/floor-p25")
	b.ReportMetric(ratios[len(ratios)/2], "rate/floor≥0.95")
	b.ReportMetric(ratios[len(ratios)*3/4], "rate/floor-p75")
	b.ReportMetric(own["sysnerd"]/own["floor"], "server-CPU/floor≤1.2")
	b.ReportMetric(chain["sysnerd"]/own["floor"], "chain-CPU/floor≤2.0")
}

// cpuOf adds up the CPU seconds of processes.
func cpuOf(pids []int) (sum float64) {
	for _, pid := range pids {
		sum += stat(strconv.Itoa(pid))
	}
	return sum
}

// engineCPU is what the engine and the guests used, everybody's.
func engineCPU() (sum float64) {
	_, cpu := processes(append([]string{"guest"}, engineParts...))
	for _, n := range cpu {
		sum += n
	}
	return sum
}

func stat(pid string) float64 {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100 // USER_HZ
}
