// Package labtest takes a library of labs and an engine, and gives a report on each
// task: what it says untouched, to each wrong attempt, to its solution, and after a reset.
//
// [Pick] chooses tasks by name, [Run] proves them with [labs.Stage.Try], and the
// [Report] is printed, or written as JUnit's XML.
//
// # Concurrency
//
// Run starts Parallel goroutines. Each has one sandbox at a time, for the lab of the
// task that it proves, and removes it before it takes one for another lab. They end
// when no task is left, or with the context; Run returns when all have ended and no
// sandbox is left.
package labtest
