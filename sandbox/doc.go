// Package sandbox turns claims into running Linux sandboxes and gives their
// terminals, scripts and events to whoever holds one.
//
// A claim's trip: Keeper.Claim → Engine.Create and Engine.Attach → hello to the
// guest → the claim's Prepare → Sandbox. A key's: View.Write → Terminal → link →
// guest → pty; its echo comes back by Sandbox.handle → Terminal → View.Next. Where
// the guest hands the pty over: View.Write → Terminal → pty → View.Next, which reads it
// itself (ViewOptions.Prompt), or handedPty.read → Terminal → View.Next.
//
//	keeper.go, recover.go, reset.go, tend.go   who has which sandbox, and for how long
//	queue.go, pool.go, limits.go               how many fit, who waits, what each may take
//	sandbox.go, live.go, ask.go, run.go        one sandbox, its link and what is asked over it
//	behind.go                                  what must be told after what is still on the link
//	terminal.go, view.go, history.go           one shell and those who watch it
//	handed.go                                  its pty, where this server has it itself
//	journal.go, osc.go                         the commands that its marks tell of
//	engine.go, spec.go, profile.go             what an engine must do, with which profile
//
// # Concurrency
//
//		Keeper.tend       from NewKeeper until Close
//		Keeper.bring      one per claimed sandbox: starts it, then waits for its end
//		Sandbox.live      one per sandbox: reads its link, makes it anew when it breaks;
//		                  ends with the sandbox or by Detach
//		└─ handedPty.read one per terminal that is handed over: until the guest asks it
//		                  back or the link breaks; live waits for its end
//
//	 1. One goroutine reads a link; any may write to it.
//	 2. A viewer that takes nothing holds up nobody: it falls behind and is told by how much.
//	 3. Terminal.mu and Terminal.typing are never held together; handedPty.books comes
//	    before the first. Sandbox.mu is held for moments only, and never while anything is
//	    sent.
//	 4. A link is closed only when no pty is read that came over it.
//	 5. Keeper.Close and Sandbox.Detach return when their goroutines have ended; Close no
//	    later than its context.
package sandbox
