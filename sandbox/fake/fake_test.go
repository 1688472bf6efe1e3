package fake_test

import (
	"testing"

	"go.uber.org/goleak"

	"sysnerd/sandbox"
	"sysnerd/sandbox/enginetest"
	"sysnerd/sandbox/fake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEngine(t *testing.T) {
	guest := fake.BuildGuest(t)
	enginetest.Run(t, enginetest.Config{
		Open: func(tb testing.TB, instance string) sandbox.Engine {
			e, err := fake.Open(fake.Config{Instance: instance, Guest: guest})
			if err != nil {
				tb.Fatal(err)
			}
			tb.Cleanup(func() { _ = e.Close() })
			return e
		},
		Image: fake.Image,
		Exempt: map[string]string{
			"seccomp":                       "there is no filter",
			"no-network":                    "it is the host's",
			"escape-open-by-handle":         "there is no filter, and a check has CAP_DAC_READ_SEARCH",
			"masked":                        "the host's /proc and /sys are seen as they are",
			"limit-memory":                  "there is no cgroup",
			"limit-memory-live-seen-inside": "there is no cgroup",
			"limit-below-use":               "there is no cgroup",
			"limit-cpu":                     "there is no cgroup",
			"limit-pids":                    "there is no cgroup",
			"oom-child":                     "there is no cgroup",
			"oom-count":                     "there is no cgroup",
		},
	})
}
