import { button, el } from "./dom.js";
import { marked } from "./marked.js";
import { rememberHere, rememberedHere } from "./remember.js";

/**
 * `<sn-predict data-id data-answer>`: says what one expects, before it is run. The answer
 * opens when a choice is made, or on demand; without `data-answer` the sandbox gives it.
 * The choice stays while the page is open. With it, `data-said` is set.
 */
class PredictElement extends HTMLElement {
  connectedCallback(): void {
    const form = this.querySelector("form");
    if (!form || this.dataset["ready"] !== undefined) return;
    this.dataset["ready"] = "";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const said = String(new FormData(form).get("choice") ?? "").trim();
      if (said !== "") this.say(said, true);
      else form.querySelector<HTMLElement>("input")?.focus();
    });
    form.querySelector(".row")?.append(button("Show me", () => this.say("", true), "quiet"));
    const before = rememberedHere(this.key);
    if (before !== null) this.say(before, false);
  }

  private say(said: string, byReader: boolean): void {
    const form = this.querySelector("form");
    const reply = this.querySelector<HTMLElement>('[data-part="reply"]');
    if (said !== "") rememberHere(this.key, said);
    const words = verdictOn(said, this.dataset["answer"]);
    const verdict = el("div", { class: "verdict", tabindex: "-1" }, el("p", { class: "message" }, ...marked(words)));
    verdict.append(...[...(reply?.children ?? [])].filter((child) => child.tagName !== "SUMMARY" && child.getAttribute("data-part") !== "right").map((child) => child.cloneNode(true)));
    this.querySelector(".verdict")?.remove();
    form?.after(verdict);
    this.dataset["said"] = "";
    if (form) for (const field of form.querySelectorAll("input")) if (field.type === "radio") field.checked = field.value === said;
    if (byReader) verdict.focus({ preventScroll: true });
  }

  private get key(): string {
    return `predict:${location.pathname}:${this.dataset["id"] ?? ""}`;
  }
}

/** What is said to a prediction, or to "Show me" (""). */
function verdictOn(said: string, answer: string | undefined): string {
  if (answer === undefined) return said === "" ? "Run it and see." : `You said ${said}. Now run it.`;
  if (said === "") return `Answer: ${answer}.`;
  return same(said, answer) ? `Yes: ${answer}.` : `You said ${said}. It is: ${answer}.`;
}

function same(said: string, answer: string): boolean {
  const plain = (text: string): string => text.replace(/[`,\s]/g, "").toLowerCase();
  return plain(said) === plain(answer);
}
customElements.define("sn-predict", PredictElement);
