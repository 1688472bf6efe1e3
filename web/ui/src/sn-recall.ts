import { button, el } from "./dom.js";

/** An answer was given; bubbles. */
export interface Recalled {
  question: string;
  right: boolean;
}

/**
 * `<sn-recall data-id data-kind>`: a question to answer from memory. `choice`: each wrong
 * option has a reply of its own. `text`: typed; usual wrong answers have replies. `aloud`:
 * said aloud, then held against a list of points.
 *
 * The model answer opens after an answer, or on demand. Event up: `sn-recalled`.
 */
class RecallElement extends HTMLElement {
  private reply = el("div", { class: "verdict", role: "status" });

  connectedCallback(): void {
    const form = this.querySelector("form");
    const answer = this.querySelector<HTMLDetailsElement>('[data-part="answer"]');
    if (!form || !answer || this.dataset["ready"] !== undefined) return;
    this.dataset["ready"] = "";
    answer.before(this.reply);
    const opens = answer.querySelector("summary");
    if (opens) opens.textContent = "Show me";
    if (this.dataset["kind"] === "aloud") this.aloud(form, answer);
    else
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const said = String(new FormData(form).get("choice") ?? "").trim();
        if (said === "") form.querySelector<HTMLElement>("input")?.focus();
        else if (this.dataset["kind"] === "choice") this.chosen(form, Number(said), answer);
        else this.typed(said, answer);
      });
  }

  private chosen(form: HTMLFormElement, index: number, answer: HTMLDetailsElement): void {
    const right = form.querySelectorAll<HTMLInputElement>("input")[index]?.dataset["right"] !== undefined;
    const own = this.querySelector<HTMLTemplateElement>(`template[data-reply="${index}"]`);
    this.found(right, own, answer);
  }

  private typed(said: string, answer: HTMLDetailsElement): void {
    const accept = JSON.parse(this.dataset["accept"] ?? "[]") as string[];
    const right = accept.some((one) => plain(one) === plain(said));
    const own = [...this.querySelectorAll<HTMLTemplateElement>("template[data-when]")].find((one) => plain(one.dataset["when"] ?? "") === plain(said));
    this.found(right, right ? null : (own ?? null), answer);
  }

  private found(right: boolean, own: HTMLTemplateElement | null, answer: HTMLDetailsElement): void {
    this.reply.replaceChildren(el("p", { class: "message", text: right ? "Yes." : "Not yet." }));
    if (own) this.reply.append(el("p", {}, own.content.cloneNode(true)));
    else if (!right) this.reply.append(el("p", { text: "Try once more, or open the answer." }));
    this.dataset["state"] = right ? "right" : "tried";
    if (right) answer.open = true;
    this.tell(right);
  }

  /** First said, then the points to mark. */
  private aloud(form: HTMLFormElement, answer: HTMLDetailsElement): void {
    const list = form.querySelector('[data-part="points"]');
    const points = [...(list?.children ?? [])];
    const id = this.dataset["id"] ?? "";
    const boxes = points.map((point, i) => {
      const box = el("input", { type: "checkbox", id: `recall-${id}-${i}` });
      return { box, row: el("label", {}, box, el("span", {}, ...[...point.childNodes].map((node) => node.cloneNode(true)))) };
    });
    const marks = el("fieldset", { class: "points" }, el("legend", { text: "Which of these did you say?" }), ...boxes.map(({ row }) => row));
    marks.hidden = true;
    const keep = button("Mark it", () => {
      const said = boxes.filter(({ box }) => box.checked).length;
      const right = said >= boxes.length - 1;
      this.reply.replaceChildren(
        el("p", { class: "message", text: `You said ${said} of ${boxes.length}.` }),
        ...(right ? [] : [el("p", { text: "Read the answer, then say it once more." })]),
      );
      this.dataset["state"] = right ? "right" : "tried";
      answer.open = true;
      this.tell(right);
    });
    keep.hidden = true;
    const said = form.querySelector<HTMLButtonElement>("button");
    if (said) said.textContent = "I have said it";
    list?.replaceWith(el("p", { class: "soft", text: "Say the answer aloud, as to a colleague. Nothing is recorded." }), marks);
    said?.before(keep);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      marks.hidden = false;
      keep.hidden = false;
      if (said) said.hidden = true;
      boxes[0]?.box.focus({ preventScroll: true });
    });
  }

  private tell(right: boolean): void {
    const detail: Recalled = { question: this.dataset["id"] ?? "", right };
    this.dispatchEvent(new CustomEvent<Recalled>("sn-recalled", { bubbles: true, detail }));
  }
}

/** Case, blanks, backticks and a full stop make no other answer. */
function plain(text: string): string {
  return text.replaceAll("`", "").replace(/\s+/g, " ").trim().replace(/\.$/, "").toLowerCase();
}
customElements.define("sn-recall", RecallElement);
