// Which keys a terminal leaves to the page.

/** Keys that the page acts on, also while a terminal has the focus. */
export function isPageKey(event: KeyboardEvent): boolean {
  if (event.key === "F6") return true;
  if (!event.ctrlKey || event.altKey || event.metaKey) return false;
  if (event.key === "Enter") return true;
  return event.shiftKey && (event.code === "Space" || event.code === "KeyF" || tabOf(event) > 0);
}

/** The tab that Ctrl+Shift+1…9 asks for, else 0. */
export function tabOf(event: KeyboardEvent): number {
  if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return 0;
  return Number(/^Digit([1-9])$/.exec(event.code)?.[1] ?? "0");
}

/** What Ctrl and that letter type. */
export function control(letter: string): string {
  return /^[a-z@[\\\]^_]$/i.test(letter) ? String.fromCharCode(letter.toUpperCase().charCodeAt(0) & 0x1f) : letter;
}
