import { el } from "./dom.js";
import { ReadingStore } from "./reading-store.js";

/**
 * `<sn-resume module>`: around the home page's "Continue". When this browser knows where
 * its reader was, it leads there.
 */
class ResumeElement extends HTMLElement {
  connectedCallback(): void {
    const place = new ReadingStore(this.getAttribute("module") ?? "").place();
    const line = this.querySelector("p.continue");
    if (!place || !line) return;
    const part = place.part === "" ? "" : `, “${place.part}”`;
    line.replaceChildren(
      el("a", { class: "main", href: place.path, text: "Continue" }),
      el("span", { text: `${place.number} ${place.title}${part}, ${place.minutes} min` }),
    );
  }
}
customElements.define("sn-resume", ResumeElement);
