import { remember } from "./remember.js";

/**
 * `<sn-theme>`: a button that turns the page dark or light and remembers it.
 * Until it is pressed the page follows the system.
 *
 * Event on document: `sn-theme`, after the colours changed.
 */
class Theme extends HTMLElement {
  private readonly button = document.createElement("button");
  private readonly system = matchMedia("(prefers-color-scheme: dark)");
  private readonly changed = (): void => {
    this.say();
    document.dispatchEvent(new Event("sn-theme"));
  };

  connectedCallback(): void {
    this.button.type = "button";
    this.button.className = "quiet";
    this.button.addEventListener("click", () => this.turn());
    this.replaceChildren(this.button);
    this.system.addEventListener("change", this.changed);
    this.say();
  }

  disconnectedCallback(): void {
    this.system.removeEventListener("change", this.changed);
  }

  private get dark(): boolean {
    const chosen = document.documentElement.dataset["theme"];
    return chosen === undefined ? this.system.matches : chosen === "dark";
  }

  private turn(): void {
    const next = this.dark ? "light" : "dark";
    document.documentElement.dataset["theme"] = next;
    remember("theme", next);
    this.changed();
  }

  private say(): void {
    this.button.textContent = this.dark ? "Light" : "Dark";
    this.button.setAttribute("aria-label", this.dark ? "Light colours" : "Dark colours");
  }
}
customElements.define("sn-theme", Theme);
