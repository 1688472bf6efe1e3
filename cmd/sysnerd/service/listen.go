package service

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Listen takes the address, or says why it cannot be had.
func Listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	var dns *net.DNSError
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, unix.EADDRINUSE):
		return nil, fmt.Errorf("cannot listen on %s: in use by another program; choose another with --listen", address)
	case errors.Is(err, unix.EACCES):
		return nil, fmt.Errorf("cannot listen on %s: ports below 1024 are root's; choose another with --listen", address)
	case errors.Is(err, unix.EADDRNOTAVAIL), errors.As(err, &dns):
		return nil, fmt.Errorf("cannot listen on %s: this machine has no such address; choose another with --listen", address)
	}
	return nil, fmt.Errorf("cannot listen on %s: %w; choose another with --listen", address, err)
}

// address is what a browser on this machine types to reach l.
func address(l net.Listener) string {
	at, err := netip.ParseAddrPort(l.Addr().String())
	if err == nil && at.Addr().IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", at.Port())
	}
	return "http://" + l.Addr().String()
}
