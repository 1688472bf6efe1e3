package labs

import (
	"embed"
	"io/fs"
)

//go:embed operating-systems
var content embed.FS

// Embedded is the course in this binary.
func Embedded() fs.FS { return content }
