// Package inlet is the guest's side of package pidlink: out come the connections that
// servers bring. It has no net in it, so that the guest stays small.
//
// Concurrency: Accept is called by one goroutine; the rest by any.
package inlet
