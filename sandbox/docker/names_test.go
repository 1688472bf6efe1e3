package docker_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"sysnerd/sandbox"
)

func TestHostsNameServersStayOutside(t *testing.T) {
	e := open(t, "names")
	spec := sandbox.Spec{
		ID: "nnnnaaaammmmeeee", Instance: "names", Lab: "m/l", Image: imageTag(t), UID: 29990,
		Expires: time.Now().Add(time.Minute), Limits: sandbox.DefaultLimits(),
	}
	s, err := sandbox.Start(t.Context(), e, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Detach()
		if err := e.Remove(context.Background(), spec.ID); err != nil {
			t.Error(err)
		}
	})
	r, err := s.Run(t.Context(), sandbox.Run{Script: []byte("grep -v '^#' /etc/resolv.conf")})
	if err != nil || strings.TrimSpace(string(r.Stdout)) != "nameserver 127.0.0.1" {
		t.Errorf("resolv.conf = %q, %v; want only 127.0.0.1", r.Stdout, err)
	}
}
