import { remember, remembered } from "./remember.js";

// Keys that act alone, such as "/" and "?". They can be turned off, since speech input
// and chance touches press them too.

const kept = "single-keys";

export function singleKeys(): boolean {
  return remembered(kept) !== "off";
}

export function setSingleKeys(on: boolean): void {
  remember(kept, on ? "on" : "off");
}

/** The event is that key alone, and not typed into anything. */
export function pressed(event: KeyboardEvent, key: string): boolean {
  if (event.key !== key || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || !singleKeys()) return false;
  const at = event.target as Element | null;
  return !at?.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable], sn-terminal");
}
