import { call, reason, Refused, type Result } from "./api.js";
import { button, el, inline } from "./dom.js";
import { run, upgradeRunnable } from "./runnable.js";
import { reachScrollable } from "./scrollable.js";
import { before, verdict } from "./task-verdict.js";

const says: Record<string, string> = {
  open: "open",
  predicted: "predicted",
  "not-yet": "not yet",
  broken: "check broke",
  passed: "passed",
  revealed: "passed, solution shown",
  locked: "locked",
};

/**
 * `<sn-task task="tally" base="/modules/…/tasks/tally">`: one task, rendered by
 * the server; this brings its buttons to life and shows what a check found.
 *
 * Attributes: `data-state` (open, predicted, not-yet, broken, passed, revealed, locked),
 * `data-mode` (once, while).
 * Events up: `sn-check` {task}, `sn-answer` {task, value}, `sn-run` (a line).
 * Methods: `show(result, asked)`, `renew(from)`, `check()`.
 */
export class TaskElement extends HTMLElement {
  private hintTimer = 0;
  private last: Result | null = null; // the one that is shown
  private whole: { state: string; words: Node[] } | null = null; // before the check broke

  connectedCallback(): void {
    this.revive();
  }

  disconnectedCallback(): void {
    clearTimeout(this.hintTimer);
  }

  get task(): string {
    return this.getAttribute("task") ?? "";
  }

  get state(): string {
    return this.dataset["state"] ?? "open";
  }

  get passed(): boolean {
    return this.state === "passed" || this.state === "revealed";
  }

  /** What the verdict says. */
  get told(): string {
    return this.querySelector(".verdict .message")?.textContent ?? "";
  }

  /** Takes over the server's newer rendering of this task, unless it says the same. */
  renew(from: Element): void {
    const newer = from.getAttribute("data-state");
    if (newer === this.state || newer === this.whole?.state) return;
    const within = this.contains(document.activeElement);
    for (const { name, value } of [...from.attributes]) this.setAttribute(name, value);
    this.replace([...from.childNodes].map((node) => document.importNode(node, true)));
    this.last = this.whole = null;
    this.revive();
    this.glance();
    if (within) this.querySelector<HTMLElement>("h3")?.focus();
  }

  /** The place that is read aloud when it changes stays, and its words change. */
  private replace(nodes: Node[]): void {
    const told = this.piece("verdict");
    const at = nodes.findIndex((node) => node instanceof HTMLElement && node.dataset["part"] === "verdict");
    const words = nodes[at]?.childNodes;
    if (!told || !words) {
      this.replaceChildren(...nodes);
      return;
    }
    for (const node of [...this.childNodes]) if (node !== told) node.remove();
    told.before(...nodes.slice(0, at));
    told.after(...nodes.slice(at + 1));
    told.replaceChildren(...words);
  }

  /**
   * Shows what a check found. `asked` when the learner asked for it by button or key.
   * True when the server has newer words for the whole task: it was passed, or what it
   * asks for is true no longer.
   */
  show(result: Result, asked: boolean): boolean {
    this.removeAttribute("aria-busy");
    if (this.passed && this.dataset["mode"] === "once") return false;
    const told = this.piece("verdict");
    if (!told || this.state === "locked") return result.status === "pass";
    if (result.status === "broken") {
      this.whole ??= { state: this.state, words: [...told.childNodes] };
      this.setState("broken");
      told.replaceChildren(...verdict(this, result));
      return false;
    }
    if (this.whole) {
      this.setState(this.whole.state);
      told.replaceChildren(...this.whole.words);
      this.whole = null;
    }
    if (this.passed !== (result.status === "pass")) return true;
    if (result.status === "pass" || (!result.attempted && !asked)) return false;
    const anew = result.message !== this.last?.message || result.observed !== this.last.observed;
    if (result.attempted && anew) this.pauseHints(0);
    this.last = result;
    this.setState("not-yet");
    const words = verdict(this, result);
    const earlier = before(told, words[0]?.textContent ?? "");
    told.replaceChildren(...words, ...(earlier ? [earlier] : []));
    return false;
  }

  /** Says that something did not work, in words, at the task. */
  fault(text: string): void {
    this.removeAttribute("aria-busy");
    this.piece("note")?.replaceChildren(text);
  }

  private revive(): void {
    this.piece("check")?.addEventListener("click", () => this.check());
    this.piece("hint")?.addEventListener("click", () => void this.hint());
    this.piece("solution")?.addEventListener("click", () => this.askSolution());
    this.piece("evidence")?.addEventListener("click", () => {
      run(this, this.querySelector(".verdict dd code[data-evidence]")?.textContent ?? "");
    });
    this.querySelector<HTMLFormElement>("form.predict")?.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.predict(event.currentTarget as HTMLFormElement);
    });
    this.querySelector<HTMLFormElement>("form.answer")?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.piece("note")?.replaceChildren();
      this.tell("sn-answer", { task: this.task, value: field(event.currentTarget as HTMLFormElement, "value") });
    });
    this.querySelector<HTMLFormElement>("form.why")?.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.why(event.currentTarget as HTMLFormElement);
    });
    upgradeRunnable(this);
    reachScrollable(this);
  }

  check(): void {
    if (this.state === "locked") return;
    this.setAttribute("aria-busy", "true");
    this.piece("note")?.replaceChildren();
    this.tell("sn-check", { task: this.task });
  }

  private async predict(form: HTMLFormElement): Promise<void> {
    const choice = field(form, "choice");
    if (choice === "") {
      this.fault("Choose one first. A wrong guess costs nothing.");
      return;
    }
    let kept: { prediction: string };
    try {
      kept = await call("POST", `${this.base}/predict`, { choice });
    } catch (error) {
      this.fault(reason(error));
      return;
    }
    this.piece("note")?.replaceChildren();
    const said = el("p", { class: "said", tabindex: "-1" }, ...inline(`You said ${kept.prediction}. Now run it.`));
    form.replaceWith(said);
    said.focus();
    if (this.state === "open") this.setState("predicted");
  }

  /** After the pass: the learner's own line, then the author's beside it. */
  private async why(form: HTMLFormElement): Promise<void> {
    let kept: { why: string; why_html: string };
    try {
      kept = await call("POST", `${this.base}/why`, { text: field(form, "text") });
    } catch (error) {
      this.fault(reason(error));
      return;
    }
    this.piece("note")?.replaceChildren();
    const author = el("dd");
    author.innerHTML = kept.why_html; // rendered by the server from the lab's own text
    const shown = el(
      "div",
      { class: "why", tabindex: "-1" },
      el("p", { class: "asks", text: "Why did it work?" }),
      el(
        "dl",
        {},
        el("div", {}, el("dt", { text: "You" }), el("dd", { text: kept.why })),
        el("div", {}, el("dt", { text: "The author" }), author),
      ),
    );
    form.replaceWith(shown);
    shown.focus();
  }

  /** Opens the next hint. When it opens, and whether there is one, the server alone knows. */
  private async hint(): Promise<void> {
    let got: { n: number; hint_html: string; more: boolean; next_in: number };
    try {
      got = await call("POST", `${this.base}/hint`, {});
    } catch (error) {
      if (error instanceof Refused && error.status === 409) this.pauseHints(error.retryAfter);
      this.fault(reason(error));
      return;
    }
    this.piece("note")?.replaceChildren();
    const item = el("li", { tabindex: "-1" });
    item.innerHTML = got.hint_html; // rendered by the server from the lab's own text
    this.querySelector(".hints")?.append(item);
    upgradeRunnable(item);
    item.focus();
    if (got.more) this.pauseHints(got.next_in);
    else this.piece("hint")?.remove();
  }

  /** Draws the button as shut for so long. It can be pressed all the same, and then says why. */
  private pauseHints(seconds: number): void {
    clearTimeout(this.hintTimer);
    this.piece("hint")?.setAttribute("aria-disabled", String(seconds > 0));
    if (seconds > 0) this.hintTimer = window.setTimeout(() => this.pauseHints(0), seconds * 1000);
  }

  private askSolution(): void {
    const note = this.piece("note");
    if (!note) return;
    const no = button("Not now", () => {
      note.replaceChildren();
      this.piece("solution")?.focus();
    });
    note.replaceChildren("Show it? It is counted.", button("Show it", () => void this.solution()), no);
    no.focus();
  }

  private async solution(): Promise<void> {
    let got: { solution_html: string };
    try {
      got = await call("POST", `${this.base}/solution`, {});
    } catch (error) {
      this.fault(reason(error));
      return;
    }
    this.piece("note")?.replaceChildren();
    this.piece("solution")?.remove();
    const shown = el("div", { class: "solution", tabindex: "-1" });
    shown.innerHTML = got.solution_html; // rendered by the server from the lab's own text
    shown.prepend(
      el("p", { class: "message", text: "Solution shown. Run it, then say in one line why it works." }),
    );
    this.append(shown);
    upgradeRunnable(shown);
    reachScrollable(shown);
    shown.focus();
  }

  private setState(state: string): void {
    this.dataset["state"] = state;
    this.querySelector("h3 .glyph use")?.setAttribute("href", `#glyph-${state}`);
    const word = this.querySelector("h3 .state");
    if (word) word.textContent = says[state] ?? state;
    this.glance();
  }

  /** The same state in the page's list of tasks. */
  private glance(): void {
    const row = document.getElementById(`glance-${this.task}`);
    if (!row) return;
    row.dataset["state"] = this.state;
    row.querySelector(".glyph use")?.setAttribute("href", `#glyph-${this.state}`);
    const word = row.querySelector(".spoken");
    if (word) word.textContent = `, ${says[this.state] ?? this.state}`;
  }

  private get base(): string {
    return this.getAttribute("base") ?? "";
  }

  private piece(name: string): HTMLElement | null {
    return this.querySelector<HTMLElement>(`[data-part="${name}"]`);
  }

  private tell(type: string, detail: { task: string; value?: string }): void {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
  }
}

/** What a form holds under a name, without blanks around it. */
function field(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value.trim() : "";
}
customElements.define("sn-task", TaskElement);
