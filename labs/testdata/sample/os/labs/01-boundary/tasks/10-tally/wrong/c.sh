# No tally was printed yet.
true
