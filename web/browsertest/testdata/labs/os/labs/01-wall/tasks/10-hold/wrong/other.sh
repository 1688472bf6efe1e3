# There is no file yet.
touch ~/other
