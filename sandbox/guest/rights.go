package guest

import (
	"golang.org/x/sys/unix"

	"sysnerd/sandbox/link"
)

// rights are descriptors that go with the byte at that place of a link's queue. They
// are copies: the originals may be closed before the byte is sent.
type rights struct {
	at  int
	fds []int
}

func (r rights) close() {
	for _, fd := range r.fds {
		unix.Close(fd)
	}
}

// sendRights sends a frame with descriptors, which stay the caller's.
func (c *conn) sendRights(k link.Kind, stream uint32, v any, fds ...int) {
	c.codeWith(fds, func(dst []byte) ([]byte, error) { return link.AppendJSON(dst, k, stream, v) })
}

// keepRights keeps descriptors for the byte that is queued next. The caller holds mu.
func (c *conn) keepRights(fds []int) bool {
	if len(fds) == 0 {
		return true
	}
	r := rights{at: len(c.queue)}
	for _, fd := range fds {
		fd, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			r.close()
			return false
		}
		r.fds = append(r.fds, fd)
	}
	c.rights = append(c.rights, r)
	return true
}

// writeQueue writes the beginning of the queue, as far as one call may: descriptors
// begin a new one. The caller holds mu.
func (c *conn) writeQueue() (int, error) {
	p := c.queue
	var fds []int
	next := c.rights
	if len(next) > 0 && next[0].at == 0 {
		fds, next = next[0].fds, next[1:]
	}
	if len(next) > 0 {
		p = p[:next[0].at]
	}
	n, err := c.writeWith(p, fds)
	if n <= 0 {
		return n, err
	}
	if len(fds) > 0 {
		c.rights[0].close()
		c.rights = next
	}
	for i := range c.rights {
		c.rights[i].at -= n
	}
	return n, err
}

// dropQueue forgets what waits. The caller holds mu.
func (c *conn) dropQueue() {
	for _, r := range c.rights {
		r.close()
	}
	c.queue, c.rights = nil, nil
}
