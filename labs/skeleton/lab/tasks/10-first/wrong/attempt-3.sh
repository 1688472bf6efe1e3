#!/bin/bash
# Say what is the case, in 20 words at most.
echo 'the third thing that learners really try, and that is not it'
