// Package rehearse plays a class against a running server, through its public
// API alone, and tells what the learners would have felt and what it cost the machine.
//
// A learner opens the page, claims a sandbox, attaches the terminal by the contract,
// types at a person's pace, prints numbered lines, checks, answers, drops the socket
// and comes back by offset, leaves the page and comes back to it. Each byte that
// comes back is held against what it must be.
//
// # Concurrency
//
//	Run
//	├── watch, one              samples the machine once a second; Run ends it
//	└── learner.live, one each  ends with the context, and gives its sandbox back
//	    ├── screen.read         ends with its socket
//	    └── person.listen       reads events; ends when the learner leaves the page
//
// Run returns after all of them have ended. A record may be written by any goroutine.
package rehearse
