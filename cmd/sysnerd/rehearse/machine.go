package rehearse

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Machine is what the rehearsal cost, where that can be known: the server's own
// figures are for programs on its machine.
type Machine struct {
	Known       bool               `json:"known"`
	CPUs        int                `json:"cpus"`
	ServerRSS   int64              `json:"server_rss_max"`      // bytes
	ServerFirst int64              `json:"server_rss_at_first"` // bytes
	ServerCPU   float64            `json:"server_cpu_seconds"`
	Engine      map[string]int64   `json:"engine_rss_max"` // bytes, of all processes of that name
	EngineCPU   map[string]float64 `json:"engine_cpu_seconds"`
	Busy        float64            `json:"machine_busy"` // share of all CPUs, this program's included
	Load        float64            `json:"load_max"`
	FreeMin     int64              `json:"memory_available_min"` // bytes
	FromPool    int                `json:"sandboxes_from_pool"`
	Cold        int                `json:"sandboxes_cold"`
	LiveMax     int                `json:"sandboxes_live_max"`
	QueueMax    int                `json:"queue_max"`
}

// engineParts are the programs that run containers.
var engineParts = []string{"dockerd", "containerd", "containerd-shim"}

type machine struct {
	Machine
	who         *person
	near        bool
	cpu         float64 // of the server, at first
	engine      map[string]float64
	busy, ticks float64 // of the machine, at first
	pool, cold  int
}

func newMachine(address string) *machine {
	u, err := url.Parse(address)
	m := &machine{who: newPerson(address), near: err == nil && loopback(u.Hostname())}
	m.CPUs = runtime.NumCPU()
	m.Engine, m.EngineCPU, m.engine = map[string]int64{}, map[string]float64{}, map[string]float64{}
	return m
}

// watch looks once a second, calling also each time, until ctx is done.
func (m *machine) watch(ctx context.Context, also func()) {
	defer m.who.close()
	for first := true; ; first = false {
		m.look(ctx, first)
		also()
		pause(ctx, time.Second)
		if ctx.Err() != nil {
			m.look(context.WithoutCancel(ctx), false)
			return
		}
	}
}

func (m *machine) look(ctx context.Context, first bool) {
	if !m.near {
		return
	}
	m.host(first)
	values, err := metrics(ctx, m.who)
	if err != nil {
		return // the learners tell what is wrong with the server
	}
	m.Known = true
	rss, cpu := int64(values["process_resident_memory_bytes"]), values["process_cpu_seconds_total"]
	pool, cold := int(values[`sysnerd_sandboxes_given_total{from="pool"}`]), int(values[`sysnerd_sandboxes_given_total{from="engine"}`])
	if first {
		m.ServerFirst, m.cpu, m.pool, m.cold = rss, cpu, pool, cold
	}
	m.ServerRSS = max(m.ServerRSS, rss)
	m.ServerCPU = cpu - m.cpu
	m.FromPool, m.Cold = pool-m.pool, cold-m.cold
	m.LiveMax = max(m.LiveMax, int(values["sysnerd_sandboxes_live"]))
	m.QueueMax = max(m.QueueMax, int(values["sysnerd_queue_length"]))
}

// metrics are the server's own figures.
func metrics(ctx context.Context, who *person) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	text, err := who.text(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok && name != "#" {
			values[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	return values, lines.Err()
}

// host looks at what the kernel says of this machine.
func (m *machine) host(first bool) {
	var one float64
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(text), &one)
		m.Load = max(m.Load, one)
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "MemAvailable:" {
				kib, _ := strconv.ParseInt(f[1], 10, 64)
				if free := kib << 10; m.FreeMin == 0 || free < m.FreeMin {
					m.FreeMin = free
				}
			}
		}
	}
	if text, err := os.ReadFile("/proc/stat"); err == nil {
		busy, ticks := cpuTicks(string(text))
		if first {
			m.busy, m.ticks = busy, ticks
		} else if ticks > m.ticks {
			m.Busy = (busy - m.busy) / (ticks - m.ticks)
		}
	}
	rss, cpu := processes(engineParts)
	for name := range rss {
		if first {
			m.engine[name] = cpu[name]
		}
		m.Engine[name] = max(m.Engine[name], rss[name])
		m.EngineCPU[name] = max(m.EngineCPU[name], cpu[name]-m.engine[name]) // shims end and take theirs along
	}
}

// cpuTicks reads the first line of /proc/stat: user nice system idle iowait irq …
func cpuTicks(stat string) (busy, all float64) {
	line, _, _ := strings.Cut(stat, "\n")
	for i, f := range strings.Fields(line) {
		n, err := strconv.ParseFloat(f, 64)
		if i == 0 || i > 8 || err != nil { // guest time is in user time
			continue
		}
		all += n
		if i != 4 && i != 5 {
			busy += n
		}
	}
	return busy, all
}

// processes adds up resident bytes and CPU seconds of all processes by name. The
// kernel cuts names at 15 bytes: containerd-shim is containerd-shim-runc-v2.
func processes(names []string) (rss map[string]int64, cpu map[string]float64) {
	rss, cpu = map[string]int64{}, map[string]float64{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), "(")
		end := strings.LastIndex(rest, ")")
		if end < 0 {
			continue
		}
		name, f := rest[:end], strings.Fields(rest[end+1:])
		for _, want := range names {
			if name == want && len(f) > 21 {
				user, _ := strconv.ParseFloat(f[11], 64)
				system, _ := strconv.ParseFloat(f[12], 64)
				pages, _ := strconv.ParseInt(f[21], 10, 64)
				rss[name] += pages * int64(os.Getpagesize())
				cpu[name] += (user + system) / 100 // USER_HZ
			}
		}
	}
	return rss, cpu
}
