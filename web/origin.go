package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// origins knows the addresses under which the server may be called. A page of
// another site whose name was pointed at us (DNS rebinding) is not among them.
type origins struct {
	hosts        map[string]bool // host:port, lower case
	port         string          // of the listener
	everywhere   bool            // the listener has every address of the machine
	loopback     bool            // the listener has none that others reach
	publicHost   string          // host:port of PublicURL; "" without one
	publicScheme string
}

func newOrigins(listen, public string) (origins, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return origins{}, fmt.Errorf("listen address %q is not host:port: %w", listen, err)
	}
	o := origins{hosts: map[string]bool{}, port: port}
	ip, _ := netip.ParseAddr(host)
	o.everywhere = host == "" || ip.IsUnspecified()
	o.loopback = ip.IsLoopback() || host == "localhost"
	for _, own := range []string{host, "localhost", "127.0.0.1", "::1"} {
		o.hosts[strings.ToLower(net.JoinHostPort(own, port))] = true
	}
	if public == "" {
		return o, nil
	}
	u, err := url.Parse(public)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return origins{}, fmt.Errorf("public address %q is not like https://sysnerd.example.org; set it with --url", public)
	}
	o.publicScheme = u.Scheme
	o.publicHost = withPort(u.Host, u.Scheme)
	return o, nil
}

// withPort returns host:port in lower case, with the scheme's port if none is named.
func withPort(host, scheme string) string {
	host = strings.ToLower(host)
	if u, err := url.Parse(scheme + "://" + host); err == nil && u.Port() == "" {
		port := "80"
		if scheme == "https" {
			port = "443"
		}
		return net.JoinHostPort(strings.TrimSuffix(u.Hostname(), "."), port)
	}
	return host
}

// host says whether a request for this Host is meant for us.
func (o origins) host(host string) bool {
	return o.direct(host) || o.public(host)
}

func (o origins) public(host string) bool {
	return o.publicHost != "" && withPort(host, o.publicScheme) == o.publicHost
}

// direct says whether the Host is the listener's own.
func (o origins) direct(host string) bool {
	host = withPort(host, "http")
	if o.hosts[host] {
		return true
	}
	if !o.everywhere {
		return false
	}
	at, err := netip.ParseAddrPort(host)
	if err != nil {
		return false
	}
	_, port, _ := net.SplitHostPort(host)
	return port == o.port && ownAddress(at.Addr())
}

// ownAddress says whether a network interface of this machine has the address now.
func ownAddress(ip netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().WithZone("") == ip.WithZone("") {
			return true
		}
	}
	return false
}

// check refuses a request that does not come from one of our own pages. A page
// has the origin that people type, which behind a proxy is PublicURL's; without
// one it is the Host of the request, which is known to be ours by now.
func (o origins) check(r *http.Request) error {
	values := r.Header.Values("Origin")
	if len(values) != 1 {
		return problemNoOrigin
	}
	u, err := url.Parse(values[0])
	if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != values[0] {
		return problemOrigin
	}
	host := withPort(u.Host, u.Scheme)
	switch {
	case o.publicHost != "" && u.Scheme == o.publicScheme && host == o.publicHost:
		return nil
	case u.Scheme == "http" && o.direct(r.Host) && host == withPort(r.Host, "http"):
		return nil
	}
	return problemOrigin
}

// local says whether a request comes from a program on this machine, and not
// through a proxy.
func (o origins) local(r *http.Request) bool {
	for _, forwarded := range []string{"Forwarded", "Via", "X-Forwarded-For", "X-Real-Ip"} {
		if r.Header.Get(forwarded) != "" {
			return false
		}
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && from.Addr().Unmap().IsLoopback() && o.loopback && o.direct(r.Host)
}
