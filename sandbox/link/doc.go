// Package link is the protocol between the server and the guest: it turns
// messages into frames of bytes and bytes, however damaged, back into messages.
// It does no I/O of its own; PROTOCOL.md has the picture.
//
// Concurrency: functions are pure. A Decoder belongs to one goroutine.
package link
