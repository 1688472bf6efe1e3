// Package images turns recipes into the image that sandboxes run: in come the
// host's package sources (or a registry), the lab programs' C sources and the
// guest; out comes an image in the engine, named after the hash of its recipe.
//
// The trip: [Builder.Build] asks the engine for the image that [Tag] names and
// is done if it is there. Else it makes sure of the base image
// (sysnerd/base:<hash>; minutes, rarely), which mmdebstrap makes from
// packages.txt and base.sh without a registry, or the engine from Dockerfile.
// Then it runs top.sh in a container of the base and commits what that left
// (sysnerd/sandbox:<hash>; seconds, with every new guest).
//
// A build can be interrupted at any point: an image gets its name only when it
// is whole, temporary files and mounts go with the process, and the working
// container ends when its standard input does.
//
// # Concurrency
//
//  1. All methods may be called at the same time.
//  2. Builds of one user on one machine take turns, across processes; who
//     waited finds the work done.
package images
