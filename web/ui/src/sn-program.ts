import { read, reason } from "./api.js";
import { button, el } from "./dom.js";

/**
 * `<sn-program><a href="…">mystery.c</a></sn-program>`: the source of a program that
 * a task let the learner watch. The link works without script; with it, the source
 * is fetched when it is first opened, and shown in place with a button that copies it.
 */
export class ProgramElement extends HTMLElement {
  private path = "";
  private readonly body = el("div", { class: "source" });
  private readonly note = el("p", { class: "note", role: "status" });

  connectedCallback(): void {
    const link = this.querySelector("a");
    if (!link) return; // it was brought to life before
    const name = link.textContent ?? "";
    this.path = link.getAttribute("href") ?? "";
    const fold = el("details", {}, el("summary", { text: name }), this.note, this.body);
    fold.addEventListener("toggle", () => {
      if (fold.open && this.body.childElementCount === 0) void this.load(name);
    });
    this.replaceChildren(fold);
  }

  private async load(name: string): Promise<void> {
    this.note.textContent = `Fetching ${name}.`;
    let source: string;
    try {
      source = await read(this.path);
    } catch (error) {
      this.note.replaceChildren(reason(error), button("Try again", () => void this.load(name)));
      return;
    }
    this.note.replaceChildren();
    const copy = button("Copy", () => void this.copy(source));
    copy.setAttribute("aria-label", `Copy ${name}`);
    this.body.replaceChildren(
      el("pre", { tabindex: "0", role: "region", "aria-label": name }, el("code", { text: source })),
      copy,
    );
  }

  private async copy(source: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(source);
      this.note.textContent = "Copied.";
    } catch {
      this.select();
      this.note.textContent = "The browser lets no button copy here. The source is selected: Ctrl+C copies it.";
    }
  }

  private select(): void {
    const code = this.querySelector("pre code");
    if (code) getSelection()?.selectAllChildren(code);
  }
}
customElements.define("sn-program", ProgramElement);
