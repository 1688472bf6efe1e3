package doctor

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"sysnerd/cmd/sysnerd/service"
	"sysnerd/sandbox"
)

// hostFacts is what the kernel and the files of this machine say. A number
// that could not be read is 0.
type hostFacts struct {
	InotifyInstances int // per uid
	InotifyWatches   int // per uid
	PidMax           int
	ThreadsMax       int
	Taken            []string // users whose uid is one of ours, "name (20001)"
}

// readHost reads below root, which is "/" but for tests.
func readHost(root string) hostFacts {
	number := func(path string) int {
		text, _ := os.ReadFile(filepath.Join(root, "proc/sys", path))
		n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		return n
	}
	users, _ := os.ReadFile(filepath.Join(root, "etc/passwd"))
	return hostFacts{
		InotifyInstances: number("fs/inotify/max_user_instances"),
		InotifyWatches:   number("fs/inotify/max_user_watches"),
		PidMax:           number("kernel/pid_max"),
		ThreadsMax:       number("kernel/threads-max"),
		Taken:            takenUIDs(users),
	}
}

// takenUIDs finds users in passwd(5) whose uid may be given to a learner. They
// would share limits on processes and more with that learner.
func takenUIDs(passwd []byte) (taken []string) {
	for lines := bufio.NewScanner(bytes.NewReader(passwd)); lines.Scan(); {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) < 3 {
			continue
		}
		uid, err := strconv.Atoi(fields[2])
		if err == nil && uid >= sandbox.FirstUID && uid < sandbox.FirstUID+sandbox.Slots {
			taken = append(taken, fields[0]+" ("+fields[2]+")")
		}
	}
	return taken
}

// What one sandbox takes of budgets that root, whom every guest is for the
// host, or the whole machine has; and what is left to all else.
const (
	guestInotify  = 1 // instances
	guestWatches  = 32
	hostInotify   = 32
	hostWatches   = 4096
	hostProcesses = 4096
)

func judgeHost(h hostFacts, c service.Capacity) []Finding {
	var found []Finding
	size := func(bytes int64) string { return units.BytesSize(float64(bytes)) }
	if c.Chosen && c.Overcommit() > 1 {
		found = append(found, warn("learners", "lower sandbox.capacity, or raise sandbox.budget if there is more",
			"%d fit, as chosen: %s each from %s promises the memory %.1f times", c.Sandboxes, size(c.Each), size(c.Budget), c.Overcommit()))
	} else {
		found = append(found, ok("learners", "%d fit at a time: %s each from %s, none of it promised twice", c.Sandboxes, size(c.Each), size(c.Budget)))
	}

	need := func(subject, sysctl string, have, each, rest int) {
		want := c.Sandboxes*each + rest
		switch {
		case have == 0:
			found = append(found, warn(subject, "look at sysctl "+sysctl, "%s could not be read", sysctl))
		case have < want:
			found = append(found, warn(subject, "sysctl -w "+sysctl+"="+strconv.Itoa(want)+", and put it in /etc/sysctl.d",
				"%d are for %d learners at most", have, max(have-rest, 0)/each))
		default:
			found = append(found, ok(subject, "%d", have))
		}
	}
	need("inotify instances", "fs.inotify.max_user_instances", h.InotifyInstances, guestInotify, hostInotify)
	need("inotify watches", "fs.inotify.max_user_watches", h.InotifyWatches, guestWatches, hostWatches)
	processes := sandbox.DefaultLimits().Processes
	need("process ids", "kernel.pid_max", h.PidMax, processes, hostProcesses)
	need("threads", "kernel.threads-max", h.ThreadsMax, processes, hostProcesses)

	if len(h.Taken) > 0 {
		found = append(found, warn("uids", "give them other uids", "%d to %d are for learners, but this machine uses %s",
			sandbox.FirstUID, sandbox.FirstUID+sandbox.Slots-1, strings.Join(h.Taken, ", ")))
	} else {
		found = append(found, ok("uids", "%d to %d are free for learners", sandbox.FirstUID, sandbox.FirstUID+sandbox.Slots-1))
	}
	return found
}
