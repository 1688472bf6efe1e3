# There is no file `late` yet.
touch ~/early
