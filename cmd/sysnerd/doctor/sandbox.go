package doctor

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"sysnerd/cmd/sysnerd/service"
	"sysnerd/sandbox"
)

const (
	// instance of the doctor's sandboxes: no server takes them for its own.
	instance = "doctor"
	// uid of the doctor's sandbox, the last that a server would come to.
	uid = sandbox.FirstUID + sandbox.Slots - 1
	// tryTime bounds the trial. A sandbox left behind by a doctor that was
	// killed is removed by the next one.
	tryTime = time.Minute
)

// trySandbox starts a sandbox of the current image and looks from inside.
func trySandbox(ctx context.Context, engine service.Engine, log *slog.Logger) []Finding {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	image, err := engine.Image(ctx)
	if err != nil {
		return []Finding{failed("image", err)}
	}
	found := []Finding{ok("image", "current: %.19s", image)}

	if err := removeExpired(ctx, engine); err != nil {
		return append(found, failed("sandbox", err))
	}

	begin := time.Now()
	s, err := sandbox.Start(ctx, engine, sandbox.Spec{
		ID:       strings.ToLower(rand.Text()[:16]),
		Instance: instance,
		Lab:      "doctor/doctor",
		Image:    image,
		UID:      uid,
		Expires:  begin.Add(tryTime),
		Limits:   sandbox.DefaultLimits(),
	}, log)
	if err != nil {
		return append(found, failed("sandbox", err))
	}
	found = append(found, ok("sandbox", "started and answering after %d ms", time.Since(begin).Milliseconds()))
	found = append(found, lookInside(ctx, s)...)

	s.Detach()
	if err := engine.Remove(context.WithoutCancel(ctx), s.ID()); err != nil {
		found = append(found, fail("sandbox", "remove the container sysnerd-"+s.ID()+" by hand", "%v", err))
	}
	return found
}

// removeExpired removes what a doctor left behind that was killed. One that is
// at work now is younger.
func removeExpired(ctx context.Context, engine sandbox.Engine) error {
	all, err := engine.List(ctx)
	if err != nil {
		return err
	}
	for _, l := range all {
		if time.Now().Before(l.Expires) {
			continue
		}
		if err := engine.Remove(ctx, l.ID); err != nil {
			return err
		}
	}
	return nil
}

// inside is what a learner has to be able to do. strace ends with the status of
// what it traces, and the table is there only if it could trace.
const inside = `strace -c -o /tmp/tally true && grep -q execve /tmp/tally && echo traced; rm -f /tmp/tally
echo 'int main(void) { return 7; }' | gcc -x c -o /tmp/seven - && { /tmp/seven; [ $? = 7 ] && echo compiled; }; rm -f /tmp/seven
`

func lookInside(ctx context.Context, s *sandbox.Sandbox) []Finding {
	result, err := s.Run(ctx, sandbox.Run{Script: []byte(inside), Learner: true, Deadline: 20 * time.Second})
	if err != nil {
		return []Finding{failed("sandbox", fmt.Errorf("it does not answer: %w", err))}
	}
	said := strings.TrimSpace(string(result.Stderr))
	var found []Finding
	if strings.Contains(string(result.Stdout), "traced\n") {
		found = append(found, ok("ptrace", "strace works in a sandbox"))
	} else {
		found = append(found, fail("ptrace", "allow ptrace: sysctl -w kernel.yama.ptrace_scope=1, kernel 4.8 or later", "strace does not work in a sandbox: %s", said))
	}
	if strings.Contains(string(result.Stdout), "compiled\n") {
		found = append(found, ok("compiler", "gcc and what it makes run in a sandbox"))
	} else {
		found = append(found, warn("compiler", "sysnerd image build", "gcc does not work in a sandbox: %s", said))
	}
	if missing := s.Missing(); len(missing) > 0 {
		found = append(found, warn("guest", "use the Docker engine with runc, outside a user namespace",
			"sandboxes lack %s: checks fall back to weaker evidence", strings.Join(missing, ", ")))
	} else {
		found = append(found, ok("guest", "lacks nothing: process accounting and inotify work"))
	}
	return found
}
