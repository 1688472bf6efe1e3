// Package privilege takes a `sysnerd serve` that root started and makes two processes of
// it: a helper that stays root and runs the sandboxes (package privsep), and the server,
// which goes on as an ordinary user.
//
//	root   Part      finds the user (user.go), opens the data folder and gives it to
//	                 him, starts the helper (helper.go), listens where only root may,
//	                 puts folders within reach (reach.go), and
//	                 executes the same program as that user (drop.go)
//	user   Resume    takes up what Part left: configuration, sockets, lock
//
// The process id stays, so that signals, service managers and the lock's pid mean the
// server. It holds no capability, no group but its own, no socket of an engine, and
// no_new_privs, so that no set-uid program gives it more. Resume refuses to go on
// unless all of that is so.
//
// # Concurrency
//
// Part changes one locked thread, and the program replaces the others. Resume starts no
// goroutine; Helper.Wait blocks until the helper has ended.
package privilege
