// Package privsep parts a [sandbox.Engine], which needs root, from a server that
// must not have it: in goes an engine and one end of a socket pair, out comes an
// engine at the other end, in another process, under another user. The term is
// OpenSSH's: privilege separation.
//
//	keeper → Engine (engine.go)          the server, an ordinary user
//	            │  SOCK_SEQPACKET: one message a packet (message.go)
//	         Helper (serve.go)           root
//	            │  checked: verb, id, instance, lab, limits, image
//	         docker.Engine, local.Engine
//
// The protocol is closed. There are the five verbs, a question for the image, and
// one message that gives up a request. A sandbox is named by its id, an image by
// what the helper itself named before; no path, flag or command can be expressed.
// Everything is checked again on root's side, which takes the other for hostile: what
// is not a message ends the helper, and no sandbox.
//
// An attached stream comes as a file descriptor (SCM_RIGHTS). Where the engine's own
// stream is a [*net.UnixConn], a socket to the guest, it is that socket; else it is one
// end of a pair whose other end the helper copies (stream.go), so that no connection to
// an engine's daemon leaves it. No descriptor is taken from the server: the kernel drops any.
//
// The helper ends when its socket does. It gives up what is under way, and leaves
// every sandbox as it is. When the helper ends first, every call fails with
// [sandbox.ErrUnavailable], and [Engine.Ended] says so.
//
// # Concurrency
//
// Who starts what, and what ends it:
//
//		Connect     one reader per Engine; Close, or the helper's end, ends it
//		Helper      one goroutine per request; its answer ends it
//		            two per copied stream; the end of either side, or of the helper's socket, ends both
//
//	 1. Every method of Engine may be called by any number of goroutines.
//	 2. Serve returns after all of its goroutines; Close of Engine after its reader.
//	 3. At most maxPending requests are under way. More wait in the socket.
//	 4. A call whose context ends tells the helper and waits for what became of it, for
//	    giveUpTime at most: a Create that fails has left nothing behind.
//	 5. One goroutine reads an attached stream and one writes it; any may close it.
package privsep
