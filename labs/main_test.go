package labs_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

var _ = flag.Bool("update", false, "rewrite what tests compare with")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
