ran strace && pass "A tally was printed."
fail "No tally was printed yet."
