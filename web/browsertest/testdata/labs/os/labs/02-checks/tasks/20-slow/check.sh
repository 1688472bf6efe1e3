sleep 2
if [ -e /home/learner/late ]; then pass 'The file is there.'; fi
fail 'There is no file `late` yet.'
