// Package sandbox turns claims into running Linux sandboxes and gives their
// terminals, checks and events to whoever holds one.
package sandbox
