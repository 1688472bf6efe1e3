package labs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Shellcheck has the program shellcheck look at scripts, by path. It is a Linter's
// Scripts. Errors: that the program is not there.
func Shellcheck(ctx context.Context, scripts map[string][]byte) ([]Problem, error) {
	if len(scripts) == 0 {
		return nil, nil
	}
	program, err := exec.LookPath("shellcheck")
	if err != nil {
		return nil, errors.New("scripts cannot be looked at: no program shellcheck on this machine; install it (apt-get install shellcheck), or leave it out by --no-shellcheck")
	}
	dir, err := os.MkdirTemp("", "sysnerd-lint-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var names []string
	for name, text := range scripts {
		if !filepath.IsLocal(name) {
			return nil, fmt.Errorf("script %q lies outside of its folder", name)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	// The exceptions are those of .shellcheckrc: messages hold code in backticks, and
	// variables are set by the words of prelude.sh.
	arguments := []string{"--norc", "--shell=bash", "--exclude=SC2016,SC2154", "--format=json1", "--"}
	cmd := exec.CommandContext(ctx, program, append(arguments, names...)...)
	cmd.Dir = dir
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) { // 1: it found something
		return nil, fmt.Errorf("run shellcheck: %w: %s", err, strings.TrimSpace(said.String()))
	}
	var found struct {
		Comments []struct {
			File    string
			Line    int
			Code    int
			Message string
		}
	}
	if err := json.Unmarshal(out.Bytes(), &found); err != nil {
		return nil, fmt.Errorf("read what shellcheck found: %w", err)
	}
	var problems []Problem
	for _, c := range found.Comments {
		problems = append(problems, Problem{File: c.File, Line: c.Line, Reason: strings.TrimSuffix(c.Message, "."),
			Cure: fmt.Sprintf("mend it; shellcheck tells more under SC%d", c.Code)})
	}
	return problems, nil
}
