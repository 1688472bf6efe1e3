// Work that need not be done at once: one piece a task, so that keys and scrolling come
// in between.

const waiting: (() => void)[] = [];

/** Does it soon, after what was asked before. */
export function inTurn(act: () => void): void {
  waiting.push(act);
  if (waiting.length === 1) setTimeout(next);
}

function next(): void {
  try {
    waiting[0]?.();
  } finally {
    waiting.shift();
    if (waiting.length > 0) setTimeout(next);
  }
}

/** An element of a page that can be read before it is there; those on the page begin then. */
export function defineInTurn(name: string, element: CustomElementConstructor): void {
  inTurn(() => customElements.define(name, element));
}
