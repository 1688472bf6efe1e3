package fake_test

import (
	"maps"
	"testing"

	"go.uber.org/goleak"

	"sysnerd/sandbox"
	"sysnerd/sandbox/enginetest"
	"sysnerd/sandbox/fake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestEngine runs the suite with terminals that are handed over, and relayed.
func TestEngine(t *testing.T) {
	guest := fake.BuildGuest(t)
	t.Run("handed over", func(t *testing.T) { testEngine(t, fake.Config{Guest: guest}) })
	t.Run("relayed", func(t *testing.T) { testEngine(t, fake.Config{Guest: guest, Relayed: true}) })
}

func testEngine(t *testing.T, cfg fake.Config) {
	exempt := maps.Clone(lacks)
	if cfg.Relayed {
		exempt["handover"] = "terminals are relayed over stdio"
	}
	enginetest.Run(t, enginetest.Config{
		Open: func(tb testing.TB, instance string) sandbox.Engine {
			cfg.Instance = instance
			e, err := fake.Open(cfg)
			if err != nil {
				tb.Fatal(err)
			}
			tb.Cleanup(func() { _ = e.Close() })
			return e
		},
		Image:  fake.Image,
		Exempt: exempt,
	})
}

// lacks is what only a container can give.
var lacks = map[string]string{
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
}
