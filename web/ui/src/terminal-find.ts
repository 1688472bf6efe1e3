import { SearchAddon } from "@xterm/addon-search";
import type { Terminal } from "@xterm/xterm";
import { button, el } from "./dom.js";
import { found } from "./terminal-theme.js";

/** A bar that finds text in what a terminal still keeps. Esc closes it; the focus goes back. */
export class FindBar {
  readonly element = el("form", { class: "strip find", role: "search" });
  private readonly field = el("input", { type: "text", "aria-label": "Find in this terminal", spellcheck: "false" });
  private readonly count = el("span", { class: "count", role: "status" });
  private readonly search = new SearchAddon();

  constructor(
    private readonly term: Terminal,
    private readonly inside: HTMLElement,
  ) {
    term.loadAddon(this.search);
    this.search.onDidChangeResults(({ resultIndex, resultCount }) => this.tell(resultIndex, resultCount));
    this.element.append(
      this.field,
      this.count,
      button("Before", () => this.find(true), "quiet"),
      button("Next", () => this.find(false), "quiet"),
      button("Close", () => this.close(), "quiet"),
    );
    this.element.hidden = true;
    this.element.addEventListener("submit", (event) => event.preventDefault());
    this.field.addEventListener("input", () => this.find(false, true));
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      else if (event.key === "Enter" && event.target === this.field && !event.ctrlKey) this.find(!event.shiftKey);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  open(): void {
    this.element.hidden = false;
    this.field.focus();
    this.field.select();
    if (this.field.value !== "") this.find(true);
  }

  close(): void {
    this.element.hidden = true;
    this.search.clearDecorations();
    this.term.clearSelection();
    this.term.focus();
  }

  private find(backwards: boolean, growing = false): void {
    const options = { decorations: found(this.inside), incremental: growing };
    if (this.field.value === "") this.search.clearDecorations();
    else if (backwards) this.search.findPrevious(this.field.value, options);
    else this.search.findNext(this.field.value, options);
  }

  private tell(index: number, count: number): void {
    let text = "";
    if (this.field.value !== "") text = count === 0 ? "Not here." : `${index + 1} of ${count}`;
    if (index < 0 && count > 0) text = `${count} places`;
    this.count.textContent = text;
  }
}
