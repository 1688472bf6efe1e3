package service

import (
	"context"
	"strings"

	"sysnerd/sandbox"
	"sysnerd/web"
)

// faults tells what hinders new sandboxes now. The last proof is a real one.
func faults(ctx context.Context, engine Engine, keeper *sandbox.Keeper) []web.Fault {
	if _, err := engine.List(ctx); err != nil {
		return []web.Fault{fault("engine", err)}
	}
	if _, err := engine.Image(ctx); err != nil {
		return []web.Fault{fault("image", err)}
	}
	if err := keeper.Prove(ctx); err != nil {
		return []web.Fault{fault("sandbox", err)}
	}
	return nil
}

func fault(part string, err error) web.Fault {
	reason, cure := Cure(err)
	return web.Fault{Part: part, Reason: reason, Cure: cure}
}

// Cure parts what an error tells from its cure, which our errors put behind a semicolon.
func Cure(err error) (text, cure string) {
	text, cure, found := strings.Cut(err.Error(), "; ")
	if !found {
		cure = "look at the log of the engine"
	}
	return text, cure
}
