import { button, el } from "./dom.js";
import { dataOf, Fitted, sheet } from "./drawing.js";
import { defineInTurn, inTurn } from "./in-turn.js";
import { bare, marked } from "./marked.js";
import { birth } from "./stepper-birth.js";
import { crossing } from "./stepper-crossing.js";
import { lostUpdate } from "./stepper-lost-update.js";
import { type Ask, before, type MakeScene, type Scene, type Step, type StepperData } from "./stepper-scene.js";
import { translate } from "./stepper-translate.js";

const scenes: Record<string, MakeScene> = { birth, crossing, translate, "lost-update": lostUpdate };
const swipe = 48; // px across that make a swipe of a touch

/**
 * `<sn-stepper data-kind data-id>`: a drawing that goes on step by step. A step that
 * asks shows nothing new until it is answered, or shown on demand.
 *
 * Within: the list of steps that is read without script and in print (items
 * `#ID-step-1` …, each with a part `caption`), and a data block.
 * Keys: Left and Right, Home, End, anywhere inside but in a field. Address: `#ID-step-3`.
 */
class StepperElement extends HTMLElement {
  private data: StepperData | undefined;
  private scene: Scene | undefined;
  private now = 0;
  private answered = new Map<number, string>(); // option that was chosen, "" for shown
  private stage = el("div", { class: "stage" });
  private count = el("p", { class: "count" });
  private back = button("Back", () => this.step(-1));
  private next = button("Next", () => this.step(1), "main");
  private marks: HTMLAnchorElement[] = [];
  private texts: HTMLElement[] = [];
  private drawing: Fitted | undefined;
  private touched: { x: number; y: number } | undefined;

  private readonly addressed = (): void => {
    const step = this.stepOf(location.hash);
    if (step === undefined) return;
    this.show(step, false);
    this.scrollIntoView({ block: "start" });
  };

  connectedCallback(): void {
    inTurn(() => this.isConnected && this.begin());
  }

  private begin(): void {
    if (!this.data) this.build();
    this.drawing = new Fitted(this.stage, (width) => this.paint(width));
    window.addEventListener("hashchange", this.addressed);
    const first = this.stepOf(location.hash);
    this.show(first ?? 0, false);
    if (first !== undefined) requestAnimationFrame(() => this.scrollIntoView({ block: "start" }));
  }

  disconnectedCallback(): void {
    window.removeEventListener("hashchange", this.addressed);
    this.drawing?.stop();
  }

  private build(): void {
    const data = dataOf(this) as StepperData | undefined;
    const make = scenes[this.dataset["kind"] ?? ""];
    if (!data || !make || data.steps.length === 0) return; // the list stays
    this.data = data;
    this.scene = make(data, () => this.redraw());
    const items = [...this.querySelectorAll<HTMLElement>(":scope > ol > li")];
    this.marks = data.steps.map((step, i) => {
      const mark = el("a", { href: `#${data.id}-step-${i + 1}`, "aria-label": `Step ${i + 1}: ${bare(step.title)}`, text: String(i + 1) });
      mark.addEventListener("click", (event) => {
        event.preventDefault();
        this.show(i, true);
      });
      return mark;
    });
    this.texts = data.steps.map((step, i) => this.textOf(step, items[i], i));
    const names = el("ol", { class: "marks", "aria-label": "Steps" }, ...this.marks.map((mark) => el("li", {}, mark)));
    const frame = el(
      "div",
      { class: "frame", role: "group", "aria-label": `${bare(data.title)}, in steps` },
      el("div", { class: "bar" }, this.count, names, el("div", { class: "turns" }, this.back, this.next)),
      ...(this.scene.controls ? [this.scene.controls] : []),
      this.stage,
      ...(this.scene.result ? [this.scene.result] : []),
      el("div", { class: "texts", "aria-live": "polite" }, ...this.texts),
    );
    frame.addEventListener("keydown", (event) => this.key(event));
    this.stage.addEventListener("pointerdown", (event) => {
      this.touched = event.pointerType === "mouse" ? undefined : { x: event.clientX, y: event.clientY };
    });
    this.stage.addEventListener("pointerup", (event) => this.swiped(event));
    const title = this.querySelector(":scope > h3");
    if (title) title.after(frame);
    else this.prepend(frame);
    this.dataset["ready"] = "";
  }

  /** Question and caption of a step; one of them is to be seen. */
  private textOf(step: Step, item: Element | undefined, index: number): HTMLElement {
    const caption = el("p", { class: "caption" });
    const written = item?.querySelector('[data-part="caption"]');
    if (written) caption.append(...[...written.childNodes].map((node) => node.cloneNode(true)));
    else caption.append(...marked(step.caption));
    const text = el("div", { class: "text-of" });
    const reply = el("p", { class: "reply" });
    if (step.ask) {
      text.append(this.question(step.ask, index));
      // Its room is taken before it is to be seen.
      const replies = ["", ...step.ask.options].map((option) => replyTo(step.ask as Ask, option));
      reply.append(...marked(replies.reduce((long, one) => (one.length > long.length ? one : long))));
    }
    text.append(el("div", { class: "shown" }, reply, caption));
    return text;
  }

  private question(ask: Ask, index: number): HTMLElement {
    const options = ask.options.map((option) => {
      const choose = button("", () => this.answer(index, option));
      choose.append(...marked(option));
      return choose;
    });
    const show = button("Show me", () => this.answer(index, ""), "quiet");
    return el("div", { class: "ask" }, el("p", {}, ...marked(ask.question)), el("div", { class: "row" }, ...options, show));
  }

  private answer(index: number, option: string): void {
    const ask = this.data?.steps[index]?.ask;
    const reply = this.texts[index]?.querySelector(".reply");
    if (!ask || !reply) return;
    const held = this.texts[index]?.contains(document.activeElement);
    this.answered.set(index, option);
    reply.replaceChildren(...marked(replyTo(ask, option)));
    this.show(index, true);
    if (held) this.next.focus({ preventScroll: true });
  }

  private get waiting(): boolean {
    return this.data?.steps[this.now]?.ask !== undefined && !this.answered.has(this.now);
  }

  private step(by: number): void {
    if (by > 0 && this.waiting) {
      // Not past a question: to it.
      this.texts[this.now]?.querySelector<HTMLElement>(".ask button")?.focus({ preventScroll: true });
      return;
    }
    this.show(this.now + by, true);
  }

  private show(index: number, byReader: boolean): void {
    const data = this.data;
    if (!data || index < 0 || index >= data.steps.length) return;
    this.now = index;
    const title = data.steps[index]?.title ?? "";
    this.count.replaceChildren(`${index + 1} of ${data.steps.length}, `, el("b", {}, ...marked(title)));
    for (const [i, mark] of this.marks.entries()) {
      if (i === index) mark.setAttribute("aria-current", "step");
      else mark.removeAttribute("aria-current");
    }
    for (const [i, text] of this.texts.entries()) {
      text.toggleAttribute("data-now", i === index);
      text.toggleAttribute("data-asks", i === index && this.waiting);
    }
    this.back.setAttribute("aria-disabled", String(index === 0));
    this.next.setAttribute("aria-disabled", String(index === data.steps.length - 1 || this.waiting));
    if (byReader) history.replaceState(history.state, "", `#${data.id}-step-${index + 1}`);
    this.redraw();
  }

  private redraw(): void {
    this.toggleAttribute("data-veiled", this.waiting && this.now === 0);
    this.drawing?.redraw();
  }

  /** A question is asked over what was to be seen before. */
  private paint(width: number): SVGSVGElement {
    const { data, scene } = this;
    const now = data?.steps[this.waiting ? Math.max(0, this.now - 1) : this.now];
    if (!data || !scene || !now) return sheet(width, 0, "");
    const step = this.waiting && this.now === 0 ? { ...now, draw: before } : now;
    const drawing = scene.paint(step, width);
    drawing.setAttribute("aria-label", `${bare(data.title)}: ${bare(step.title)}`);
    return drawing;
  }

  private key(event: KeyboardEvent): void {
    const inField = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (inField || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const last = (this.data?.steps.length ?? 1) - 1;
    if (event.key === "ArrowRight") this.step(1);
    else if (event.key === "ArrowLeft") this.step(-1);
    else if (event.key === "Home") this.show(0, true);
    else if (event.key === "End") this.show(last, true);
    else return;
    event.preventDefault();
    this.keepFocus();
  }

  /** What had the focus may be out of sight now. */
  private keepFocus(): void {
    const hidden = this.texts.some((text, i) => i !== this.now && text.contains(document.activeElement));
    if (hidden) this.next.focus({ preventScroll: true });
  }

  private swiped(event: PointerEvent): void {
    const from = this.touched;
    this.touched = undefined;
    if (!from) return;
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    if (Math.abs(dx) < swipe || Math.abs(dx) < 2 * Math.abs(dy)) return;
    this.step(dx < 0 ? 1 : -1);
  }

  private stepOf(hash: string): number | undefined {
    const id = this.data?.id;
    if (id === undefined || !hash.startsWith(`#${id}-step-`)) return undefined;
    const number = Number(hash.slice(id.length + 7));
    return Number.isInteger(number) && number >= 1 && number <= (this.data?.steps.length ?? 0) ? number - 1 : undefined;
  }
}

/** What is said to an option, or to "Show me" (""). */
function replyTo(ask: Ask, option: string): string {
  const verdict = option === "" ? `Answer: ${ask.answer}.` : option === ask.answer ? `Yes: ${ask.answer}.` : `You said ${option}. It is: ${ask.answer}.`;
  return `${verdict} ${ask.reply ?? ""}`;
}
defineInTurn("sn-stepper", StepperElement);
