// Package doctor takes a configuration and gives findings: what on this machine
// serves or hinders the server's work, each with its cure.
//
// Facts are gathered first, into plain structs (the engine's, the host's), and
// judged by pure functions afterwards, so that machines which are not here can
// be judged too. The last finding is made by doing: a real sandbox is started.
package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"sysnerd/cmd/sysnerd/service"
	"sysnerd/config"
	"sysnerd/sandbox/local"
)

// Level says how bad a finding is.
type Level string

const (
	OK   Level = "ok"
	Warn Level = "warn" // the main job can be done, but not as well or as safely
	Fail Level = "fail" // the main job cannot be done
)

// Finding is one thing that was looked at.
type Finding struct {
	Subject string `json:"subject"`
	Level   Level  `json:"level"`
	Text    string `json:"text"`
	Cure    string `json:"cure,omitempty"`
}

func ok(subject, format string, args ...any) Finding {
	return Finding{Subject: subject, Level: OK, Text: fmt.Sprintf(format, args...)}
}

func warn(subject, cure, format string, args ...any) Finding {
	return Finding{Subject: subject, Level: Warn, Text: fmt.Sprintf(format, args...), Cure: cure}
}

func fail(subject, cure, format string, args ...any) Finding {
	return Finding{Subject: subject, Level: Fail, Text: fmt.Sprintf(format, args...), Cure: cure}
}

// failed makes a finding of an error.
func failed(subject string, err error) Finding {
	text, cure := service.Cure(err)
	return fail(subject, cure, "%s", text)
}

// String renders a finding as people read it, its cure on a line of its own.
func (f Finding) String() string {
	text := fmt.Sprintf("%-4s  %-17s  %s", f.Level, f.Subject, strings.ReplaceAll(f.Text, "\n", " "))
	if f.Cure != "" {
		text += fmt.Sprintf("\n%25s→ %s", "", f.Cure)
	}
	return text
}

// Examine looks at everything, and leaves nothing behind.
func Examine(ctx context.Context, cfg *config.Config, log *slog.Logger) []Finding {
	capacity, err := service.FindCapacity(cfg.Sandbox)
	if err != nil {
		return []Finding{fail("capacity", "set sandbox.capacity and sandbox.budget", "%v", err)}
	}
	findings := judgePlace(cfg)
	findings = append(findings, judgeHost(readHost("/"), capacity)...)

	kind, why, err := service.ChooseEngine(ctx, cfg)
	if err != nil {
		return append(findings, failed("engine", err))
	}
	findings = append(findings, ok("engine chosen", "%s: %s", kind, why))
	engine, err := service.OpenEngine(ctx, kind, cfg, instance, log)
	if err != nil {
		return append(findings, failed("engine", err))
	}
	defer engine.Close()
	about, err := examineEngine(ctx, engine, cfg.Runtime)
	findings = append(findings, about...)
	if err != nil {
		return append(findings, failed("engine", err))
	}
	return append(findings, trySandbox(ctx, engine, log)...)
}

func examineEngine(ctx context.Context, engine service.Engine, runtime string) ([]Finding, error) {
	if e, ok := engine.(interface {
		Facts(ctx context.Context) (local.Facts, error)
	}); ok {
		facts, err := e.Facts(ctx)
		if err != nil {
			return nil, err
		}
		return judgeLocal(readLocal(facts)), nil
	}
	facts, err := askEngine(ctx, runtime)
	if err != nil {
		return nil, err
	}
	return judgeEngine(facts), nil
}

// Worst is the level of the worst finding.
func Worst(findings []Finding) Level {
	worst := OK
	for _, f := range findings {
		switch {
		case f.Level == Fail:
			return Fail
		case f.Level == Warn:
			worst = Warn
		}
	}
	return worst
}
