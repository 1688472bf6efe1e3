// Package guest is PID 1 of every sandbox: frames come in over the link, and
// terminals, scripts, kills and samples are what it makes of them.
//
// A frame's trip: conn.receive → Guest.handle → terminal, run, kill or sample →
// conn.send. Output of a shell: pty → terminal.pump → ring → conn.send, or none of it:
// over a socket the pty itself is handed to the server (lending.go).
//
// # Concurrency
//
//		Guest.Serve          ends the process: reaps children, one signal at a time
//		├─ Guest.serve       the link on stdio, for the sandbox's life: reads it
//		│  └─ conn.drain     writes out what waits
//		├─ Guest.accept      the inherited socket, for the sandbox's life, and one more
//		│  │                 for connections that a server brings itself
//		│  └─ Guest.serve    one per connection, until that ends
//		│     └─ conn.drain  likewise
//		├─ terminal.live     one per terminal, for the sandbox's life
//		│  └─ terminal.pump  its body: the only one here that reads that pty
//		├─ run.do            one per script, until all it started has ended
//		├─ health.watch      for the sandbox's life
//		├─ watch.follow      for the sandbox's life
//		└─ listenAnswers     for the sandbox's life
//
//	 1. Only children waits for processes.
//	 2. The newest link gets all output; sending never blocks.
//	 3. A link's reader never waits for a terminal, a script or another link.
//	 4. Only its reader closes a connection, when nobody can read it any more.
//	 5. A pty is read by the guest or by one link. It comes back with return, with the
//	    link's end, or two seconds after it was asked for.
package guest
