if [ -e /home/learner/broken ]; then exit 7; fi
if [ -e /home/learner/right ]; then pass 'The file is there.'; fi
expected 'a file `right`'
observed 'none'
evidence 'ls ~'
hint 'Which name is asked for?'
fail 'There is no file `right` yet.'
