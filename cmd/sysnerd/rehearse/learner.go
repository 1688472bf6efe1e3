package rehearse

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	echoTime    = 10 * time.Second // for a key to come back
	promptTime  = 30 * time.Second // for a command to end
	partingTime = 30 * time.Second // for a sandbox to be given back
	backOff     = 8 * time.Second  // between two tries to come back, at most
)

// Marks that the sandbox's bash prints (OSC 133): a prompt was drawn; what was
// typed begins to run.
var (
	promptDrawn = []byte("\x1b]133;B\a")
	outputStart = []byte("\x1b]133;C;")
)

// learner is one of the class.
type learner struct {
	cfg    Config
	course *course
	r      *record
	who    *person
	screen *screen
	name   string // of its numbered lines
	box    box
	rand   *rand.Rand

	listening context.CancelFunc
	listener  sync.WaitGroup
}

func newLearner(cfg Config, c *course, r *record, i int) *learner {
	return &learner{
		cfg: cfg, course: c, r: r, who: newPerson(cfg.URL), screen: newScreen(r),
		name: fmt.Sprintf("n%d", i), rand: rand.New(rand.NewPCG(uint64(i), 1)),
	}
}

// live comes, works until ctx is done, and gives the sandbox back.
func (l *learner) live(ctx context.Context, after time.Duration) {
	defer l.who.close()
	pause(ctx, after)
	if ctx.Err() != nil {
		return
	}
	defer l.part(ctx)
	if !l.told(ctx, l.arrive(ctx)) {
		return
	}
	l.r.arrived(1)
	defer l.r.arrived(-1)
	acts := []func(context.Context) error{l.command, l.print, l.check, l.printAcrossDrop, l.drop, l.answer, l.leave}
	if !l.cfg.Outages { // a flood goes on while the server is away, beyond what the ring holds
		acts = append(acts, l.interrupt)
	}
	for i := 0; ctx.Err() == nil; i++ {
		act := acts[i%len(acts)]
		if i >= len(acts) { // each once, then as it comes; most of the time they type
			act = l.command
			if l.rand.IntN(2) == 0 {
				act = acts[l.rand.IntN(len(acts))]
			}
		}
		l.think(ctx)
		// Behind an error nobody knows where the terminal stands, and what it says
		// next would be held against the wrong question.
		for err := act(ctx); err != nil; err = l.freshPrompt(ctx) {
			if errors.Is(err, errCut) { // what it was at is lost, the shell is not
				err = l.back(ctx)
			}
			if err != nil && !l.told(ctx, err) {
				return
			}
		}
	}
}

// told writes an error down, unless it comes from the end of the rehearsal, and
// says whether to go on: who has no sandbox any more can't.
func (l *learner) told(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil {
		return err == nil
	}
	if l.away(err) {
		return true
	}
	l.r.failed(err)
	var p *problem
	return l.box.ID != "" && !(errors.As(err, &p) && p.Status == 404)
}

// away says whether err is of an outage that is expected, and counts it.
func (l *learner) away(err error) bool {
	if !l.cfg.Outages || !outage(err) {
		return false
	}
	l.r.count(func(c *Counts) { c.Refused++ })
	return true
}

// arrive opens the page, claims, and waits for the prompt.
func (l *learner) arrive(ctx context.Context) error {
	if err := l.page(ctx); err != nil {
		return err
	}
	began, err := l.claim(ctx)
	if err != nil {
		return err
	}
	l.r.count(func(c *Counts) { c.Claimed++ })
	l.listen(ctx)
	if err := l.screen.attach(ctx, l.who, l.box); err != nil {
		return err
	}
	at, err := l.prompt(ctx)
	if err == nil {
		l.r.took(feltPrompt, at.Sub(began))
	}
	return err
}

func (l *learner) page(ctx context.Context) error {
	began := time.Now()
	path := "/" + l.course.module + "/labs/" + l.course.lab
	if err := l.who.call(ctx, "GET", path, nil, nil); err != nil {
		return fmt.Errorf("open the page: %w", err)
	}
	l.r.took(feltPage, time.Since(began))
	return nil
}

// claim gets the sandbox, and tells when the claim that got it was made. It is
// not cut off by the end: what the server makes must be known to be given back.
func (l *learner) claim(ctx context.Context) (began time.Time, err error) {
	asked := map[string]string{"module": l.course.module, "lab": l.course.lab}
	first := time.Now()
	var waited bool
	defer func() {
		if waited {
			l.r.queued(-1)
		}
	}()
	for {
		began = time.Now()
		err := l.who.call(context.WithoutCancel(ctx), "POST", "/api/v1/sandboxes", asked, &l.box)
		if again, ok := full(err); ok && ctx.Err() == nil {
			if !waited {
				waited = true
				l.r.queued(1)
			}
			pause(ctx, again)
			continue
		}
		if err != nil {
			return began, fmt.Errorf("claim: %w", err)
		}
		l.r.took(feltClaim, time.Since(began))
		if waited {
			l.r.took(feltQueue, began.Sub(first))
		}
		return began, ctx.Err()
	}
}

// listen hears the sandbox's events, as its page does, until deaf is called.
func (l *learner) listen(ctx context.Context) {
	ctx, l.listening = context.WithCancel(ctx)
	l.listener.Go(func() {
		for wait := time.Second; ctx.Err() == nil; pause(ctx, wait) { // as EventSource does
			_ = l.who.listen(ctx, l.box, func(string) { l.r.count(func(c *Counts) { c.Events++ }) })
		}
	})
}

func (l *learner) deaf() {
	if l.listening != nil {
		l.listening()
		l.listener.Wait()
	}
}

// part leaves, and gives the sandbox back.
func (l *learner) part(ctx context.Context) {
	l.deaf()
	l.screen.drop()
	if l.box.ID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), partingTime)
	defer cancel()
	for {
		err := l.who.call(ctx, "DELETE", "/api/v1/sandboxes/"+l.box.ID, nil, nil)
		var p *problem
		switch {
		case err == nil, errors.As(err, &p) && p.Status == 404:
			return
		case ctx.Err() != nil || !refused(err):
			l.r.failed(fmt.Errorf("give the sandbox back: %w", err))
			l.r.count(func(c *Counts) { c.Kept++ })
			return
		}
		pause(ctx, time.Second)
	}
}

// think is the pause of somebody who reads.
func (l *learner) think(ctx context.Context) { l.rest(ctx, time.Second, 4*time.Second) }

func (l *learner) rest(ctx context.Context, low, high time.Duration) {
	d := low + rand.N(high-low)
	pause(ctx, time.Duration(float64(d)/l.cfg.Haste))
}

// prompt waits for the next one.
func (l *learner) prompt(ctx context.Context) (time.Time, error) {
	within, cancel := context.WithTimeout(ctx, promptTime)
	defer cancel()
	_, at, err := l.screen.until(within, promptDrawn)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = fmt.Errorf("no prompt within %s", promptTime)
	}
	return at, err
}

// back opens the socket again, at the offset where it was, until that works.
func (l *learner) back(ctx context.Context) error {
	l.screen.drop()
	began := time.Now()
	for wait := 250 * time.Millisecond; ; wait = min(2*wait, backOff) {
		err := l.screen.attach(ctx, l.who, l.box)
		var p *problem
		switch {
		case err == nil:
			l.r.took(feltReturn, time.Since(began))
			return nil
		case ctx.Err() != nil, errors.As(err, &p) && p.Status == 404:
			return err
		}
		pause(ctx, wait/2+rand.N(wait))
	}
}

// freshPrompt ends whatever was being typed or run. A Ctrl-C takes along what was
// typed right behind it, so its prompt is awaited first. That one may have been on
// its way before, and then the line is gone: it is typed again, as a person would. So
// is a Ctrl-C that bash took in the moment before it read: it acts at the next key.
func (l *learner) freshPrompt(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, promptTime)
	defer cancel()
	for {
		if err := l.screen.typed("\x03"); err != nil {
			return err
		}
		drawn, stopWaiting := context.WithTimeout(within, promptTime/5)
		_, _, err := l.screen.until(drawn, promptDrawn)
		stopWaiting()
		if errors.Is(err, context.DeadlineExceeded) && within.Err() == nil {
			continue
		}
		if err != nil {
			return noFreshPrompt(ctx, err)
		}
		mark := l.name + "-" + fmt.Sprint(l.rand.Uint32())
		// The echo of the line has the mark in two pieces, the output in one.
		if err := l.screen.typed("echo " + mark[:1] + "''" + mark[1:] + "\r"); err != nil {
			return err
		}
		soon, stop := context.WithTimeout(within, promptTime/5)
		_, _, err = l.screen.until(soon, []byte(mark))
		stop()
		switch {
		case err == nil:
			_, err = l.prompt(ctx)
			return err
		case !errors.Is(err, context.DeadlineExceeded) || within.Err() != nil:
			return noFreshPrompt(ctx, err)
		}
	}
}

func noFreshPrompt(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return fmt.Errorf("no fresh prompt within %s", promptTime)
	}
	return err
}
