import { call, reason, type Result } from "./api.js";
import { button, el, inline } from "./dom.js";
import { run, upgradeRunnable } from "./runnable.js";

/** The next hint opens after a new try, or after this long. */
const hintPause = 45_000;

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
 * `data-mode` (once, while), `data-hints` and `data-hints-all` (numbers).
 * Events up: `sn-check` {task}, `sn-answer` {task, value}, `sn-run` (a line).
 * Method: `show(result, asked)`.
 */
export class TaskElement extends HTMLElement {
  private hintFrom = 0; // when the next hint may open
  private hintTimer = 0;
  private earlier: string[] = []; // what earlier tries were told

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
    if (from.getAttribute("data-state") === this.state) return;
    const within = this.contains(document.activeElement);
    for (const { name, value } of [...from.attributes]) this.setAttribute(name, value);
    this.replaceChildren(...[...from.childNodes].map((node) => document.importNode(node, true)));
    this.revive();
    this.glance();
    if (within) this.querySelector<HTMLElement>("h3")?.focus();
  }

  /** Shows what a check found. `asked` when the learner asked for it by button or key. */
  show(result: Result, asked: boolean): void {
    this.removeAttribute("aria-busy");
    const stays = this.passed && this.dataset["mode"] === "once";
    if (stays || this.state === "locked") return;
    if (result.status === "fail" && !result.attempted && !asked) return;
    if (result.status === "fail") this.hintFrom = 0;
    if (result.status === "pass") return; // the sandbox fetches the server's words
    this.setState(result.status === "broken" ? "broken" : "not-yet");
    const told = this.piece("verdict");
    if (!told) return;
    const last = told.querySelector(".message")?.textContent ?? "";
    told.replaceChildren(...this.verdict(result));
    const now = told.querySelector(".message")?.textContent ?? "";
    if (last !== "" && last !== now && !this.earlier.includes(last)) this.earlier.push(last);
    if (this.earlier.length > 0) {
      told.append(
        el(
          "details",
          {},
          el("summary", { text: `Before: ${this.earlier.length}` }),
          el("ul", {}, ...this.earlier.map((text) => el("li", { text }))),
        ),
      );
    }
    this.pauseHints();
  }

  /** Says that something did not work, in words, at the task. */
  fault(text: string): void {
    this.removeAttribute("aria-busy");
    this.piece("note")?.replaceChildren(text);
  }

  private verdict(result: Result): Node[] {
    if (result.status === "broken") {
      const reference = result.reference ? ` Reference ${result.reference}.` : "";
      return [
        el("p", {
          class: "message",
          text: `This check broke. That is our fault; your work is untouched. The next command checks again.${reference}`,
        }),
      ];
    }
    const list = el("dl");
    const row = (name: string, ...value: Node[]): void => {
      list.append(el("dt", { text: name }), el("dd", {}, ...value));
    };
    if (result.expected) row("Expected", ...inline(result.expected));
    if (result.observed) row("Observed", ...inline(result.observed));
    if (result.evidence) {
      const command = result.evidence;
      const go = button("Run", () => run(this, command), "run");
      go.setAttribute("aria-label", `Run ${command}`);
      row("Evidence", el("code", { text: command }), go);
    }
    if (result.hint) row("Hint", ...inline(result.hint));
    return [el("p", { class: "message" }, ...inline(result.message)), list];
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
      const value = new FormData(event.currentTarget as HTMLFormElement).get("value");
      this.tell("sn-answer", { task: this.task, value: typeof value === "string" ? value.trim() : "" });
    });
    upgradeRunnable(this);
    this.pauseHints();
  }

  check(): void {
    if (this.state === "locked") return;
    this.setAttribute("aria-busy", "true");
    this.piece("note")?.replaceChildren();
    this.tell("sn-check", { task: this.task });
  }

  private async predict(form: HTMLFormElement): Promise<void> {
    const choice = new FormData(form).get("choice");
    if (typeof choice !== "string") {
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
    const said = el("p", { class: "said", tabindex: "-1", text: `You said ${kept.prediction}. Now run it.` });
    form.replaceWith(said);
    said.focus();
    if (this.state === "open") this.setState("predicted");
  }

  private async hint(): Promise<void> {
    const next = this.piece("hint");
    if (next?.getAttribute("aria-disabled") === "true") {
      const left = Math.ceil((this.hintFrom - Date.now()) / 1000);
      this.fault(`The next hint opens after a new try, or in ${left} s.`);
      return;
    }
    let got: { n: number; hint_html: string };
    try {
      got = await call("POST", `${this.base}/hint`, {});
    } catch (error) {
      this.fault(reason(error));
      return;
    }
    this.piece("note")?.replaceChildren();
    const item = el("li", { tabindex: "-1" });
    item.innerHTML = got.hint_html; // rendered by the server from the lab's own text
    this.querySelector(".hints")?.append(item);
    upgradeRunnable(item);
    item.focus();
    this.dataset["hints"] = String(got.n);
    this.hintFrom = Date.now() + hintPause;
    this.pauseHints();
  }

  private pauseHints(): void {
    const next = this.piece("hint");
    if (!next) return;
    clearTimeout(this.hintTimer);
    next.hidden = Number(this.dataset["hints"]) >= Number(this.dataset["hintsAll"]);
    const wait = this.hintFrom - Date.now();
    next.setAttribute("aria-disabled", String(wait > 0));
    if (wait > 0) this.hintTimer = window.setTimeout(() => this.pauseHints(), wait);
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
customElements.define("sn-task", TaskElement);
