// Package web is the server that learners meet: requests come in, pages, JSON,
// terminals and events go out.
//
// # The trip of a request
//
// [Server.ServeHTTP] sets the security headers, refuses a Host that is not ours
// (origin.go), finds the row of the route table (routes.go), refuses a foreign
// Origin where the row changes anything, and finds out who calls (identity.go)
// and whether the row lets them. The handler does the rest; what it returns as an
// error becomes a problem document (problem.go).
//
// # Pages
//
// pages.go renders what is in pages/; module.go, section.go, gauntlet.go and progress.go
// say what each page shows. Nothing on a page needs a script to be read.
//
// # Sessions
//
// Every sandbox that somebody asked for has one session (session.go), which lives
// as long as the sandbox. It hears the sandbox's events, runs the checks, one at
// a time for each task, and tells everybody who listens (events.go, kernel.go).
//
// # Concurrency
//
// Who starts whom, and what ends it:
//
//	http.Server
//	├── handler of a request        its answer
//	├── handler of a stream         the client, the sandbox, Server.Close
//	└── terminal's writer           the socket, the sandbox, Server.Close
//	    └── reader                  the socket, which the writer closes
//	Server
//	└── session.run, one a sandbox  the sandbox, Server.Close
//	    ├── session.autoCheck       it has asked for its checks
//	    ├── check, one a task       the script's deadline, Server.Close
//	    └── session.look            its last listener
//
// [Server.Close] returns after all of them have ended. No lock is held while a
// viewer is written to.
package web
