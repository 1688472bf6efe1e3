// F6 and Shift+F6 (or Ctrl+Shift+Space) go from pane to pane: the way out of the
// terminal, which takes every other key.

export function movePanes(event: KeyboardEvent): void {
  const back = event.key === "F6" && event.shiftKey;
  const on = event.key === "F6" || (event.ctrlKey && event.shiftKey && event.code === "Space");
  if (!on || event.altKey || event.metaKey || event.defaultPrevented) return;
  event.preventDefault();
  const panes = [...document.querySelectorAll<HTMLElement>("[data-pane]")].filter((pane) => pane.offsetHeight > 0);
  const now = panes.findIndex((pane) => pane.contains(document.activeElement));
  const step = back ? -1 : 1;
  const next = now === -1 ? (back ? panes.length - 1 : 0) : (now + step + panes.length) % panes.length;
  panes[next]?.focus();
}
