import { button, el, glyph } from "./dom.js";
import { dayName, daysBetween, today } from "./gauntlet-spacing.js";
import { GauntletStore, type Mark } from "./gauntlet-store.js";
import { defineInTurn } from "./in-turn.js";

const target = 75; // seconds: an answer said aloud takes 50 to 75

interface Question {
  id: string;
  title: Node[];
  name: string;
  item: HTMLElement;
  points: Element[];
}

/**
 * `<sn-gauntlet module [alone]>`: practice for an interview. Without script and in print it is the
 * list of questions with their answers; here one question at a time: say or write the
 * answer, mark it against the points, read the model answer, and see it again in time.
 * The address `#id` opens a question. With `alone` it asks no server and leaves the address.
 */
class GauntletElement extends HTMLElement {
  private readonly alone = this.hasAttribute("alone");
  private store = new GauntletStore(this.getAttribute("module") ?? "", this.alone);
  private questions: Question[] = [];
  private now: Question | undefined;
  private clock = 0;
  private began = 0;
  private view = el("div", { class: "practice" });

  private readonly addressed = (): void => {
    const asked = this.questions.find(({ id }) => `#${id}` === location.hash);
    if (asked) this.ask(asked);
    else this.overview();
  };

  connectedCallback(): void {
    const items = [...this.querySelectorAll<HTMLElement>(":scope > ol.questions > li")];
    if (items.length === 0) return;
    this.questions = items.map((item) => {
      const title = item.querySelector("h2");
      return { id: item.id, item, name: item.dataset["name"] ?? title?.textContent ?? item.id, title: [...(title?.childNodes ?? [])], points: [...item.querySelectorAll('[data-part="points"] > li')] };
    });
    if (!this.view.isConnected) this.prepend(this.view);
    this.dataset["ready"] = "";
    if (!this.alone) window.addEventListener("hashchange", this.addressed);
    this.addressed();
    void this.store.meet().then(() => {
      if (!this.now) this.overview();
    });
  }

  disconnectedCallback(): void {
    window.removeEventListener("hashchange", this.addressed);
    clearInterval(this.clock);
  }

  // The overview: what is due, and how far one is.

  private overview(): void {
    this.leave();
    const day = today();
    const due = this.due;
    const interview = el("input", { type: "date", value: this.store.interview, min: day });
    interview.addEventListener("change", () => {
      this.store.setInterview(interview.value);
      this.overview();
      this.view.querySelector<HTMLElement>(".interview input")?.focus();
    });
    const away = daysBetween(day, this.store.interview || day);
    const soon = this.store.interview > day ? (away === 1 ? "Tomorrow." : `In ${away} days.`) : "Questions come back in time for it.";
    const first = due[0];
    this.view.replaceChildren(
      el(
        "div",
        { class: "start" },
        first ? button(this.store.marks.length === 0 ? "Begin" : "Go on", () => this.open(first), "main") : "",
        el("p", { class: "due", role: "status", text: first ? this.dueWords(due) : this.nothingDue() }),
      ),
      el("p", { class: "interview" }, el("label", {}, "Your interview is on ", interview), " ", el("span", { class: "soft", text: soon })),
      this.progress(),
    );
  }

  /** Questions never marked, and those whose day has come; in the course's order. */
  private get due(): Question[] {
    return this.questions.filter(({ id }) => !this.store.mark(id) || this.store.isDue(id));
  }

  private dueWords(due: Question[]): string {
    const again = due.filter(({ id }) => this.store.isDue(id)).length;
    const fresh = due.length - again;
    return [again > 0 ? `${again} due today` : "", fresh > 0 ? `${fresh} new` : ""].filter(Boolean).join(", ") + ".";
  }

  private nothingDue(): string {
    const next = this.store.marks.filter((mark) => mark.due !== "").toSorted((a, b) => (a.due < b.due ? -1 : 1))[0];
    if (!next) return "Nothing due before your interview.";
    const name = this.questions.find(({ id }) => id === next.question)?.name ?? next.question;
    return `Nothing due. Next: ${name.replace(/[.?]$/, "")}, ${dayName(next.due, today())}.`;
  }

  private progress(): HTMLElement {
    const day = today();
    const rows = this.questions.map((question) => {
      const mark = this.store.mark(question.id);
      const all = question.points.length;
      const state = !mark ? "open" : mark.points.length >= all - 1 ? "passed" : "predicted";
      const words = !mark ? "new" : `${mark.points.length} of ${all} points`;
      const when = !mark ? "" : mark.due === "" ? "not before the interview" : this.store.isDue(question.id) ? "due today" : `again ${dayName(mark.due, day)}`;
      const link = el("a", { href: `#${question.id}` }, ...question.title.map((node) => node.cloneNode(true)));
      return el("tr", { "data-state": state }, el("th", { scope: "row" }, glyph(state), link), el("td", { text: words }), el("td", { text: when }));
    });
    const head = el("tr", {}, ...["Question", "Your last answer", "When"].map((text) => el("th", { scope: "col", text })));
    return el("table", { class: "standing" }, el("caption", { class: "spoken", text: "Your standing" }), el("thead", {}, head), el("tbody", {}, ...rows));
  }

  // One question.

  private open(question: Question): void {
    if (this.alone || location.hash === `#${question.id}`) this.ask(question);
    else location.hash = question.id;
  }

  private ask(question: Question): void {
    this.leave();
    this.now = question;
    this.stage(
      el("div", { class: "row" }, button("Say it", () => this.answer(question, false), "main"), button("Write it", () => this.answer(question, true))),
      el("p", { class: "soft", text: "Say it aloud, as to the one who asks. Nothing is recorded. 50 to 75 s is a good length." }),
    );
    this.heading?.focus({ preventScroll: true });
  }

  /** Heading of the question, then what this moment needs. */
  private stage(...children: (Node | string)[]): void {
    const question = this.now;
    if (!question) return;
    const number = this.questions.indexOf(question) + 1;
    const mark = this.store.mark(question.id);
    const when = this.store.isDue(question.id) ? "due today" : !mark ? "new" : mark.due === "" ? "" : `again ${dayName(mark.due, today())}`;
    const back = el("a", { href: "#", text: "All questions" });
    back.addEventListener("click", (event) => {
      event.preventDefault();
      this.leaveAddress();
      this.overview();
      this.view.querySelector<HTMLElement>("button, input")?.focus();
    });
    this.view.replaceChildren(
      el("p", { class: "where" }, `${number} of ${this.questions.length}${when === "" ? "" : `, ${when}`} · `, back),
      el("h2", { tabindex: "-1" }, ...question.title.map((node) => node.cloneNode(true))),
      ...children,
    );
  }

  private get heading(): HTMLElement | null {
    return this.view.querySelector<HTMLElement>("h2");
  }

  private answer(question: Question, writes: boolean): void {
    const time = el("p", { class: "timer", role: "timer" });
    const own = el("textarea", { rows: "8", "aria-label": "Your answer" });
    const done = button("Done, mark it", () => this.marking(question, writes ? own.value : "", seconds()), "main");
    const seconds = (): number => Math.floor((Date.now() - this.began) / 1000);
    this.began = Date.now();
    const tick = (): void => {
      const passed = seconds();
      time.textContent = clockTime(passed);
      time.style.setProperty("--part", String(Math.min(1, passed / (2 * target))));
      time.toggleAttribute("data-over", passed > target);
    };
    tick();
    this.clock = window.setInterval(tick, 250);
    const scale = el("div", { class: "time" }, time, el("span", { class: "goal", text: `mark at ${clockTime(target)}` }));
    this.stage(scale, ...(writes ? [own] : [el("p", { class: "soft", text: "Speak now." })]), el("div", { class: "row" }, done));
    (writes ? own : done).focus({ preventScroll: true });
  }

  private marking(question: Question, own: string, seconds: number): void {
    clearInterval(this.clock);
    const boxes = question.points.map((point) => {
      const box = el("input", { type: "checkbox" });
      return { box, row: el("label", {}, box, el("span", {}, ...[...point.childNodes].map((node) => node.cloneNode(true)))) };
    });
    const keep = button("Show the model answer", () => {
      const said = boxes.flatMap(({ box }, i) => (box.checked ? [i] : []));
      this.model(question, own, this.store.save(question.id, said, boxes.length));
    }, "main");
    this.stage(
      el("p", { class: "took", text: own === "" ? `You spoke for ${seconds} s.` : `You wrote ${own.trim().split(/\s+/).filter(Boolean).length} words in ${seconds} s.` }),
      ...(own === "" ? [] : [el("blockquote", { class: "own", text: own })]),
      el("fieldset", { class: "points" }, el("legend", { text: "Which of these did you say?" }), ...boxes.map(({ row }) => row)),
      el("div", { class: "row" }, keep),
    );
    boxes[0]?.box.focus({ preventScroll: true });
  }

  private model(question: Question, own: string, mark: Mark): void {
    const copy = (part: string): Node[] => [...(question.item.querySelector(`[data-part="${part}"]`)?.childNodes ?? [])].map((node) => node.cloneNode(true));
    const traps = [...question.item.querySelectorAll('[data-part="traps"] > dt')].map((ask) => {
      const reply = ask.nextElementSibling;
      return el("details", {}, el("summary", {}, ...[...ask.childNodes].map((node) => node.cloneNode(true))), el("p", {}, ...[...(reply?.childNodes ?? [])].map((node) => node.cloneNode(true))));
    });
    const see = question.item.querySelector('[data-part="see"]');
    const when = el("p", { class: "when", role: "status" });
    const other = el("input", { type: "date", "aria-label": "Another day", min: today() });
    other.hidden = true;
    const say = (): void => {
      const now = this.store.mark(question.id) ?? mark;
      const away = daysBetween(today(), now.due || today());
      when.textContent = now.due === "" ? "Not again before your interview." : `Again in ${away} day${away === 1 ? "" : "s"}, ${dayName(now.due, today())}.`;
    };
    other.addEventListener("change", () => {
      if (other.value === "") return;
      this.store.postpone(question.id, other.value);
      say();
    });
    const choose = button("Other day", () => {
      other.hidden = !other.hidden;
      if (!other.hidden) other.focus();
    });
    const next = this.due.find((one) => one !== question);
    const missed = question.points.filter((_, i) => !mark.points.includes(i));
    this.stage(
      el("p", { class: "took", text: `You said ${mark.points.length} of ${question.points.length} points.` }),
      ...(missed.length === 0 ? [] : [el("div", { class: "missed" }, el("p", { text: "Next time also:" }), el("ul", {}, ...missed.map((point) => el("li", {}, ...[...point.childNodes].map((node) => node.cloneNode(true))))))]),
      el("section", { class: "probing", "aria-label": "What is probed" }, el("h3", { text: "What the question is after" }), el("p", {}, ...copy("probing"))),
      el("section", { class: "model", "aria-label": "Model answer" }, el("h3", { text: "Model answer" }), ...copy("model")),
      ...(own === "" ? [] : [el("details", { class: "yours" }, el("summary", { text: "Yours" }), el("blockquote", { class: "own", text: own }))]),
      ...(traps.length === 0 ? [] : [el("section", { class: "traps", "aria-label": "Traps" }, el("h3", { text: "What may be asked next" }), ...traps)]),
      ...(see ? [el("section", { class: "see", "aria-label": "See it yourself" }, el("h3", { text: "You can see this yourself" }), see.cloneNode(true))] : []),
      el("div", { class: "again" }, when, choose, other),
      el("div", { class: "row" }, next ? button(`Next: ${next.name.length > 40 ? "another question" : next.name}`, () => this.open(next), "main") : button("Done for today", () => {
        this.leaveAddress();
        this.overview();
      }, "main")),
    );
    say();
    this.heading?.focus({ preventScroll: true });
    this.heading?.scrollIntoView({ block: "nearest" });
  }

  private leaveAddress(): void {
    if (!this.alone) history.pushState(null, "", location.pathname);
  }

  private leave(): void {
    clearInterval(this.clock);
    this.now = undefined;
  }
}

function clockTime(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
defineInTurn("sn-gauntlet", GauntletElement);
