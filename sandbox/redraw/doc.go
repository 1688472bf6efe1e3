// Package redraw brings a terminal that missed output back to the right state: in
// go the bytes that it will not get, out comes a prefix to put before those that
// it will.
//
// A State follows a stream of terminal output and knows at each byte which modes
// are in force: alternate screen, scroll region, colours and attributes, character
// sets, keypad, cursor, mouse, paste, focus. It also knows what the stream is in
// the middle of: an escape sequence, a string, a character. Prefix says all that
// as escape sequences: written to a terminal in whatever state, they clear its
// screen and leave it as if it had read everything before, so that the stream can
// go on at that very byte. The stream itself is neither cut elsewhere nor changed.
// Since a prefix is output too, a State that is fed one is the state it came from:
// that is how one is passed on.
//
// The trip: a ring of output feeds the bytes that it is about to overwrite, so its
// State stands at the oldest byte kept and costs nothing while nothing is lost.
// Prefix goes to the viewer first, then the ring from its oldest byte.
//
// # What a prefix can't know
//
// What stood on the screen at the cut. What is printed afterwards paints over it,
// except in a full-screen program that paints only what changes; such a program
// paints everything when its terminal's size changes (FullScreen tells). Beyond
// that these are lost, each until it is set again: the position of the cursor, here
// and as saved; the screen behind the alternate one, its scroll region, and to who
// was in the alternate one already also its saved attributes; a character set saved
// with the cursor; a scroll region reset by a change of size; tab stops; colours of
// the palette; the title; an open hyperlink; the character that REP repeats;
// protection (DECSCA); the string that the cut is in, a control sequence of more
// than 128 bytes.
//
// # Why not a model of the screen
//
// A model would know the screen at the cut. github.com/charmbracelet/x/vt v0.1.0
// was tried: 3.6 MB/s of plain lines and 34 MB/s of repainting, and some megabytes for
// a terminal of 80x24 with a little scrollback, on a machine where the pty gives
// 65 MB/s and a terminal may cost 120 KiB. It would also be a second opinion
// about what a byte means beside xterm.js, which shows the screen. A State
// follows plain text at some gigabytes a second (BenchmarkFeed) in 256 bytes. What
// a sequence means here is what it means to xterm.js 6.0 (InputHandler.ts,
// EscapeSequenceParser.ts), and a test against @xterm/headless holds it to that
// (web/browsertest/redraw.test.mjs).
//
// Concurrency: a State belongs to one goroutine at a time. It is a plain value: a
// copy is a snapshot.
package redraw
