const sizes = new ResizeObserver((blocks) => {
  for (const { target } of blocks) {
    if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0");
    else target.removeAttribute("tabindex");
  }
});

/**
 * Lets the keyboard reach every block of text that is wider than its place, to scroll it.
 * One that was not laid out yet may be such a block.
 */
export function reachScrollable(within: ParentNode): void {
  for (const block of within.querySelectorAll("pre:not([data-run], [tabindex])")) {
    block.setAttribute("tabindex", "0");
    sizes.observe(block);
  }
}
