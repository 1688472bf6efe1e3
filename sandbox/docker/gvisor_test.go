//go:build gvisor

package docker_test

import (
	"testing"

	"sysnerd/sandbox"
	"sysnerd/sandbox/docker"
	"sysnerd/sandbox/enginetest"
)

// TestEngineUnderGVisor is run by `make gvisor`, on an engine that knows runsc.
func TestEngineUnderGVisor(t *testing.T) {
	exempt := map[string]string{}
	for _, g := range docker.Gaps("runsc") {
		exempt[g.Name] = g.Why
	}
	enginetest.Run(t, enginetest.Config{
		Open: func(tb testing.TB, instance string) sandbox.Engine {
			return openWith(tb, docker.Config{Instance: instance, Runtime: "runsc"})
		},
		Image:  imageTag(t),
		Exempt: exempt,
	})
}
