import { button } from "./dom.js";

/** Stands for "the next letter is typed with Ctrl". */
export const sticky = "ctrl";
/** Stands for what the clipboard holds. */
export const pasted = "paste";

const keys: [name: string, typed: string][] = [
  ["Esc", "\x1b"],
  ["Tab", "\t"],
  ["Ctrl", sticky],
  ["Left", "\x1b[D"],
  ["Up", "\x1b[A"],
  ["Down", "\x1b[B"],
  ["Right", "\x1b[C"],
  ["|", "|"],
  ["/", "/"],
  ["-", "-"],
  ["^C", "\x03"],
  ["Paste", pasted],
];

/**
 * `<sn-keys>`: the keys that a touch screen lacks. Event up: `sn-key` (what to
 * type). The terminal keeps the focus, so the screen's keyboard stays.
 */
class Keys extends HTMLElement {
  connectedCallback(): void {
    this.replaceChildren(
      ...keys.map(([name, typed]) => {
        const key = button(name, () => {
          this.dispatchEvent(new CustomEvent<string>("sn-key", { bubbles: true, detail: typed }));
        });
        key.addEventListener("pointerdown", (event) => event.preventDefault());
        return key;
      }),
    );
  }
}
customElements.define("sn-keys", Keys);
