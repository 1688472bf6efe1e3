import { button, el } from "./dom.js";
import type { Line } from "./runnable.js";

/** How long a line waits for a prompt, in ms: a program may have the terminal. */
const promptTime = 3000;

/**
 * `<sn-beside module lab>`: a sandbox beside the text. Closed it is a button; open it
 * holds the sandbox of `lab`, and the lines that the text's run buttons type. The code of
 * terminals is loaded when it is opened, not before. Event up: `sn-beside`, opened or closed.
 */
class BesideElement extends HTMLElement {
  private readonly opener = button("Open a sandbox here", () => void this.open(), "opener");
  private readonly says = el("p", { class: "says", role: "status" });
  private panel: HTMLElement | undefined;
  private connected = false; // a terminal is there
  private wanted: Line | undefined; // to type as soon as one is

  private readonly runs = (event: Event): void => {
    const from = event.target as Element;
    if (from.closest("sn-sandbox")) return; // it hears that itself
    void this.run((event as CustomEvent<Line>).detail).then(() => from.scrollIntoView({ block: "nearest" }));
  };

  connectedCallback(): void {
    this.setAttribute("role", "region");
    this.replaceChildren(this.opener, this.says);
    document.addEventListener("sn-run", this.runs);
  }

  disconnectedCallback(): void {
    document.removeEventListener("sn-run", this.runs);
  }

  private async run(line: Line): Promise<void> {
    this.wanted = line;
    await this.open();
    if (this.connected) this.type();
  }

  private type(): void {
    const detail = this.wanted;
    this.wanted = undefined;
    if (detail) this.panel?.dispatchEvent(new CustomEvent<Line>("sn-run", { detail }));
  }

  /** F6 comes here: to the terminal, or to the button that opens one. */
  override focus(): void {
    const terminals = this.panel?.querySelector<HTMLElement>("sn-terminals");
    (terminals ?? this.opener).focus();
  }

  private async open(): Promise<void> {
    if (this.panel) return;
    this.says.textContent = "Loading the terminal.";
    try {
      await import("./sandbox-panel.js");
    } catch {
      this.says.textContent = "The terminal could not be loaded. Is the server there? Press again to try again.";
      return;
    }
    if (this.panel) return;
    this.says.textContent = "";
    const toggle = button("Terminal", () => undefined);
    toggle.dataset["act"] = "sheet";
    toggle.setAttribute("aria-expanded", "false");
    const act = (name: string, text: string): HTMLButtonElement => {
      const made = button(text, () => undefined);
      made.dataset["act"] = name;
      made.disabled = true;
      return made;
    };
    const inside = el(
      "div",
      { class: "side" },
      el("div", { class: "panel-bar" }, document.createElement("sn-time"), act("extend", "+15 min"), act("reset", "Reset"), button("Close", () => this.close(), "leave-panel")),
      el("div", { class: "sheet-bar" }, el("span", { class: "sheet-words", text: "Your sandbox" }), toggle),
      document.createElement("sn-terminals"),
      document.createElement("sn-keys"),
    );
    const panel = document.createElement("sn-sandbox");
    panel.setAttribute("module", this.getAttribute("module") ?? "");
    panel.setAttribute("lab", this.getAttribute("lab") ?? "");
    panel.append(inside);
    // What is typed before the prompt is there shows twice.
    const ready = (): void => {
      if (this.panel !== panel) return;
      this.connected = true;
      this.type();
    };
    panel.addEventListener("sn-prompt", ready);
    panel.addEventListener("sn-opened", () => window.setTimeout(ready, promptTime), { once: true });
    this.panel = panel;
    this.dataset["open"] = "";
    document.documentElement.dataset["beside"] = "";
    this.replaceChildren(panel);
    this.dispatchEvent(new Event("sn-beside", { bubbles: true }));
  }

  /** The sandbox lives on; opened again it is the same. */
  private close(): void {
    this.panel = undefined;
    this.connected = false;
    delete this.dataset["open"];
    delete document.documentElement.dataset["beside"];
    this.replaceChildren(this.opener, this.says);
    this.dispatchEvent(new Event("sn-beside", { bubbles: true }));
    this.opener.focus();
  }
}
customElements.define("sn-beside", BesideElement);
