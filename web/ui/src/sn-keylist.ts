import { button, el } from "./dom.js";
import { pressed, setSingleKeys, singleKeys } from "./single-keys.js";

const list: [keys: string, does: string][] = [
  ["/", "Search the course."],
  ["?", "This list."],
  ["F6, Shift+F6", "Next and previous pane; the way out of the terminal. Ctrl+Shift+Space does the same."],
  ["Left, Right, Home, End", "Steps of a drawing, when the focus is in it."],
  ["Up, Down, Home, End", "Rows of a table, and what a search found."],
  ["Enter", "Opens, answers, runs."],
  ["Esc", "Closes; the focus returns."],
];

/** `<sn-keylist>`: a button, and `?`, for the list of keys. Esc closes it, and the focus returns. */
class KeylistElement extends HTMLElement {
  private readonly open = button("Keys", () => this.toggle(), "quiet");
  private panel = el("section", { class: "keylist", "aria-labelledby": "keylist-title", tabindex: "-1" });
  private returnTo: HTMLElement | null = null;

  private readonly keys = (event: KeyboardEvent): void => {
    if (pressed(event, "?")) {
      event.preventDefault();
      this.toggle();
    } else if (event.key === "Escape" && !this.panel.hidden && this.contains(document.activeElement)) {
      this.toggle();
    }
  };

  connectedCallback(): void {
    const alone = el("input", { type: "checkbox", id: "single-keys" });
    alone.checked = singleKeys();
    alone.addEventListener("change", () => setSingleKeys(alone.checked));
    const keys = el("dl", {});
    for (const [name, does] of list) keys.append(el("dt", { text: name }), el("dd", { text: does }));
    this.panel.replaceChildren(
      el("h2", { id: "keylist-title", text: "Keys" }),
      keys,
      el("label", {}, alone, el("span", { text: "/ and ? act alone" })),
      button("Close", () => this.toggle()),
    );
    this.panel.hidden = true;
    this.open.setAttribute("aria-expanded", "false");
    this.replaceChildren(this.open, this.panel);
    document.addEventListener("keydown", this.keys);
  }

  disconnectedCallback(): void {
    document.removeEventListener("keydown", this.keys);
  }

  private toggle(): void {
    const opening = this.panel.hidden;
    if (opening) this.returnTo = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    this.panel.hidden = !opening;
    this.open.setAttribute("aria-expanded", String(opening));
    if (opening) this.panel.focus();
    else (this.returnTo ?? this.open).focus();
  }
}
customElements.define("sn-keylist", KeylistElement);
