// Package ptyring lets two processes take turns at one pty: in comes a pty's master
// with the ring that keeps its newest output, out come numbered bytes, none lost
// and none doubled when whoever reads is killed in the middle of a read.
//
// The owner (the guest) makes a [Ring] in a sealed memfd and reads its pty into it.
// It lends both to another process (the server) by passing two descriptors, and
// stops reading. The borrower checks what it got and works on it as a [Pty]. When the
// borrower gives it back or is gone, the owner settles what was under way and reads on.
//
// A borrower's read is journaled in the ring's header:
//
//  1. TIOCINQ tells that n bytes are there.
//  2. A nonce goes where the ring's next bytes go, and n into the header.
//  3. read(2) puts the n bytes straight into the mapped ring, over the nonce.
//  4. The header's head moves on, and n is cleared.
//
// Whoever comes next and finds n set looks at the nonce: is it still there, the read
// did not take place. The nonce begins with a byte that is in no UTF-8 text; of binary
// output a read of n bytes is taken for none once in 13·256ⁿ⁻¹ times, if a kill hits it.
// The state of the terminal at the ring's oldest byte stands in the header likewise,
// in two places that are written in turn.
//
//	ring.go     the memory: numbered bytes, and the terminal's state at the oldest
//	header.go   the page that both share
//	lend.go     the owner: lends, and settles
//	accept.go   the borrower: what it accepts
//	pty.go      the borrower: reads, writes, gives up
//	break.go    Ctrl-C, by whoever has the terminal
//
// # Neither believes the other
//
// The borrower reads nothing of the header, takes only the master of a pty and a
// memfd of the agreed size that nobody can shrink (a page that is gone would be a
// SIGBUS), and never reads before it has seen that something is there. The two share one
// open file description, so that the owner can make it block again; the borrower
// looks before each write, and a call that hangs all the same costs that one pty, whose
// memory then stays mapped until it ends. The owner holds every number of the header against bounds.
//
// # Concurrency
//
//  1. A Ring belongs to one goroutine at a time, and starts none. While it is lent
//     only File, Lent and Settle may be called.
//  2. One goroutine may call Pty.Wait and Pty.Read; any may call its other methods.
//  3. Pty.Close wakes all that are in a call, waits until they have left, and only
//     then unmaps and closes. What comes later gets ErrClosed.
package ptyring
