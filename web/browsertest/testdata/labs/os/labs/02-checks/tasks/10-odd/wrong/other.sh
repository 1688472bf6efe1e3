# There is no file `right` yet.
touch ~/left
