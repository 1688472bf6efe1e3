// Package labs takes a folder of Markdown, YAML and shell and gives back a
// course that can be shown and checked.
//
// [Load] reads a file system (the one in the binary is [Embedded]) into a
// [Library] of modules, sections, labs and tasks, and a list of [Problem] for what it
// could not take. When a learner gets a sandbox, [Lab.Prepare] brings it into the
// lab's first state. Then [Task.Check] looks into the sandbox as often as it is
// asked, and says in a [Result] whether the task is done.
//
// Authors begin a lab by [New] or take one over by [Unpack]. [Linter] says what can be
// told without a sandbox. [Stage.Try] proves a task in one: untouched it must not pass,
// each wrong attempt must be told apart, its evidence must show what was observed, and
// the solution must pass. [Keep] holds on to what was sound while they write, and
// [Schema] tells editors what the files may hold. AUTHORING.md tells people.
//
// The package knows nothing of pages or of how a sandbox is made: it sees one
// through [Target].
//
// # The folder
//
//	operating-systems/
//	  module.yaml  gauntlet.yaml  glossary.yaml  facts.yaml
//	  sections/05-system-calls.md
//	  labs/01-syscall-boundary/
//	    lab.yaml  lab.md  setup.sh  cleanup.sh
//	    tasks/10-tally/
//	      task.md  check.sh  solve.sh  solution.md  wrong/*.sh
//
// A numeric prefix orders and is not part of the id. What each file may hold is
// told by the types in file.go; every YAML file starts with "schema: 1". All but
// module.yaml and the labs may be missing.
//
// A section (section_load.go) is Markdown with ids of headings, sources, links by name,
// and concept blocks: fenced YAML, of which each kind has a file (block_*.go) and a
// piece of markup (block.html) that says all it knows without script. What its links can
// lead to is gathered first (known.go), from names alone, so that a broken file makes no
// link to it wrong.
//
// # The check contract
//
// check.sh is run by bash as root inside the sandbox, after prelude.sh, whose
// functions are its vocabulary. It exits 0 for passed and 1 for not yet; anything
// else, a signal, or no time left means that the check itself is broken, which is
// never told to the learner as his failure. When the sandbox ended or fell silent
// under it, the check was interrupted and says nothing at all. Whether it saw an
// attempt is apart from whether the task is done: a stray command leaves a task
// open. See prelude.sh for the words, and bounds_test.go for what holds whatever a
// check does.
//
// # Concurrency
//
//  1. A [Library] and all in it never change once loaded; any number of
//     goroutines may read it.
//  2. [Lab.Prepare], [Task.Check], [Linter.Lint] and [Stage.Try] block until done and start nothing
//     that outlives them.
package labs
