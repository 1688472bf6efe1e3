package rehearse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"time"
)

// Config says what to play.
type Config struct {
	URL      string // of the server
	Learners int
	Time     time.Duration
	Lab      string        // "<module>/<lab>"; "" means the first of the course
	Arrive   time.Duration // in which all of them come
	Haste    float64       // how many times faster than a person they type; 0 means as a person
	Outages  bool          // server or engine are ended meanwhile: learners wait until they are back
	Progress func(Progress)
}

// Progress is how far a rehearsal is.
type Progress struct {
	Elapsed time.Duration
	Here    int // learners who have a prompt
	Waiting int // learners in the queue
	Keys    int
	Echo    time.Duration // p95
	Faults  int           // errors, and bytes lost, repeated or wrong
}

// ErrRemote says that a server is not on this machine.
var ErrRemote = errors.New("that server is not on this machine, and a rehearsal is a load that others would feel")

// CheckURL refuses what is no server's address, and, unless remote servers are
// allowed, what is not on this machine.
func CheckURL(text string, remote bool) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" && u.Path != "/" {
		return fmt.Errorf("%q is not the address of a server, such as http://127.0.0.1:8080", text)
	}
	if !remote && !loopback(u.Hostname()) {
		return ErrRemote
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Run plays until the time is over or ctx is done, gives every sandbox back, and
// reports. An error means that there was nothing to play against.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if cfg.Haste == 0 {
		cfg.Haste = 1
	}
	if cfg.Progress == nil {
		cfg.Progress = func(Progress) {}
	}
	course, err := openCourse(ctx, cfg.URL, cfg.Lab)
	if err != nil {
		return nil, err
	}
	r := newRecord()
	began := time.Now()
	playing, stop := context.WithTimeout(ctx, cfg.Time)
	defer stop()
	watching, enough := context.WithCancel(context.WithoutCancel(ctx))
	m := newMachine(cfg.URL)
	var watched sync.WaitGroup
	watched.Go(func() {
		m.watch(watching, func() { cfg.Progress(r.progress(time.Since(began))) })
	})
	var class sync.WaitGroup
	for i := range cfg.Learners {
		class.Go(func() {
			l := newLearner(cfg, course, r, i)
			l.live(playing, time.Duration(i)*cfg.Arrive/time.Duration(cfg.Learners))
		})
	}
	class.Wait()
	enough()
	watched.Wait()
	return r.report(cfg, course, m, time.Since(began), ctx.Err() != nil), nil
}

// pause waits for d, unless ctx is done first.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// refused says whether nobody answers at the server's address.
func refused(err error) bool { return errors.As(err, new(*net.OpError)) }

// outage says whether err is what a request gets while the server or the engine is
// away: no answer, one that was cut off, or 502 to 504 in words.
func outage(err error) bool {
	var p *problem
	if errors.As(err, &p) {
		return p.Status >= 502 && p.Status <= 504
	}
	return refused(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
