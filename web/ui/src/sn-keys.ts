import { button } from "./dom.js";

const rows: [string, string][] = [
  ["Esc", "\x1b"],
  ["Tab", "\t"],
  ["Left", "\x1b[D"],
  ["Up", "\x1b[A"],
  ["Down", "\x1b[B"],
  ["Right", "\x1b[C"],
  ["|", "|"],
  ["/", "/"],
  ["-", "-"],
  ["^C", "\x03"],
];

/**
 * `<sn-keys>`: the keys that a touch screen lacks. Event up: `sn-key` (what to
 * type). The terminal keeps the focus, so the screen's keyboard stays.
 */
class Keys extends HTMLElement {
  connectedCallback(): void {
    this.replaceChildren(
      ...rows.map(([name, keys]) => {
        const key = button(name, () => {
          this.dispatchEvent(new CustomEvent<string>("sn-key", { bubbles: true, detail: keys }));
        });
        key.addEventListener("pointerdown", (event) => event.preventDefault());
        return key;
      }),
    );
  }
}
customElements.define("sn-keys", Keys);
