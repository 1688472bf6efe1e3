if [ -e /home/learner/held ]; then pass 'The file is there.'; fi
fail 'There is no file yet.'
