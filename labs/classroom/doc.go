// Package classroom takes what learners do (attempts, answers, predictions,
// results of checks, hints and solutions opened) and gives back where each of them
// stands, from one SQLite file that outlives the server.
//
// A learner, named by the server and opaque here, has one [Attempt] for every
// sandbox that was made for him, and one [Progress] for every task that he
// touched. An attempt ends with its sandbox; progress stays. All of a learner's is
// his record: [Store.Record].
//
// # Concurrency
//
//  1. All methods of [Store] may be called by any number of goroutines.
//  2. Writes take turns on one connection; reads go beside them on their own.
//  3. A write that returned nil is on disk: it survives the end of the process
//     and of the machine.
package classroom
