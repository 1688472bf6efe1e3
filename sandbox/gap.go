package sandbox

// Gap is something that the sandboxes of an engine do not owe. Its name is that of the
// test in package enginetest, which fails there.
type Gap struct{ Name, Why string }
