import { el } from "./dom.js";

/** A button that opens a few more below it. Esc closes it, and the focus returns. */
export class Menu {
  readonly element: HTMLDetailsElement;
  private readonly name: HTMLElement;
  private readonly elsewhere = (event: Event): void => {
    if (!this.element.contains(event.target as Node)) this.close();
  };

  constructor(name: string, items: HTMLElement[]) {
    this.name = el("summary", { text: name });
    this.element = el("details", { class: "menu" }, this.name, el("div", { class: "items" }, ...items));
    this.element.addEventListener("toggle", () => {
      if (this.element.open) document.addEventListener("pointerdown", this.elsewhere);
      else document.removeEventListener("pointerdown", this.elsewhere);
    });
    this.element.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !this.element.contains(event.relatedTarget as Node)) this.close();
    });
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.element.open) return;
      event.preventDefault();
      this.close();
      this.name.focus();
    });
  }

  close(): void {
    this.element.open = false;
    document.removeEventListener("pointerdown", this.elsewhere);
  }
}
