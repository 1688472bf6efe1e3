import { call, reason, Refused, type Result, type Sandbox } from "./api.js";
import { button } from "./dom.js";
import { movePanes } from "./panes.js";
import { type Line, upgradeRunnable } from "./runnable.js";
import { listen, type Notice, type Told } from "./sandbox-events.js";
import { reachScrollable } from "./scrollable.js";
import { TaskElement } from "./sn-task.js";
import type { TerminalsElement } from "./sn-terminals.js";
import type { TimeElement } from "./sn-time.js";
import type { WallElement } from "./sn-wall.js";

const slow = 5000; // ms after which a start says how long it takes
const again = 3; // seconds until the next try, when the server names none

/**
 * `<sn-sandbox module="…" lab="…">`: the learner's sandbox of a lab, around the
 * whole page. It asks for the sandbox, hears what happens in it, and passes
 * that on to the terminals, the tasks and the clock inside.
 *
 * Hears: `sn-check`, `sn-answer`, `sn-run`, `sn-key`, `sn-rescue`, `sn-soon`; buttons `[data-act]`
 * (extend, reset, sheet) anywhere inside.
 */
class SandboxElement extends HTMLElement {
  private sandbox: Sandbox | null = null;
  private events: EventSource | null = null;
  private opened = false; // the terminals are connected, or on their way
  private queued = false;
  private since = 0; // when the start began
  private clock = 0;
  private retry = 0;
  private rescuable = true; // as far as we know

  private readonly keys = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && event.ctrlKey && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.current()?.check();
      return;
    }
    movePanes(event);
  };
  private readonly seen = (): void => {
    if (document.hidden) this.deafen();
    else if (this.sandbox) void this.lookAgain();
  };

  connectedCallback(): void {
    this.addEventListener("sn-check", (event) => void this.check((event as CustomEvent<{ task: string }>).detail.task));
    this.addEventListener("sn-answer", (event) => {
      const { task, value } = (event as CustomEvent<{ task: string; value: string }>).detail;
      void this.answer(task, value);
    });
    this.addEventListener("sn-run", (event) => this.run((event as CustomEvent<Line>).detail));
    this.addEventListener("sn-key", (event) => this.terminals?.press((event as CustomEvent<string>).detail));
    this.addEventListener("sn-rescue", () => void this.rescue());
    this.addEventListener("sn-soon", (event) => this.soon((event as CustomEvent<boolean>).detail));
    this.addEventListener("sn-lost", () => {
      this.deafen(); // the same network; it may be as dead without knowing
      void this.lookAgain();
    });
    this.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("keydown", this.keys);
    document.addEventListener("visibilitychange", this.seen);
    upgradeRunnable(this);
    reachScrollable(this);
    void this.start();
  }

  disconnectedCallback(): void {
    document.removeEventListener("keydown", this.keys);
    document.removeEventListener("visibilitychange", this.seen);
    this.deafen();
    clearInterval(this.clock);
    clearTimeout(this.retry);
  }

  // Beginning and end.

  private async start(): Promise<void> {
    clearTimeout(this.retry);
    if (!this.queued) this.starting();
    try {
      const sandbox = await call<Sandbox>("POST", "/sandboxes", {
        module: this.getAttribute("module"),
        lab: this.getAttribute("lab"),
      });
      this.opened = false;
      this.take(sandbox);
      if (this.queued) this.terminals?.say("It is your turn: here is your sandbox.");
      this.queued = false;
      this.hear();
    } catch (error) {
      this.notStarted(error);
    }
  }

  /** Words while there is nothing to see yet: at once, and with seconds after five. */
  private starting(): void {
    if (this.clock !== 0) return;
    this.since = Date.now();
    this.terminals?.cover("Starting your sandbox.");
    this.clock = window.setInterval(() => {
      const passed = Date.now() - this.since;
      if (passed < slow) return;
      this.terminals?.cover(`Still starting, ${Math.floor(passed / 1000)} s. Read on; it opens here.`);
    }, 1000);
  }

  private started(): void {
    clearInterval(this.clock);
    this.clock = 0;
  }

  private notStarted(error: unknown): void {
    this.started();
    const wait = (error instanceof Refused && error.retryAfter) || again;
    const final = error instanceof Refused && error.status >= 400 && error.status < 500 && error.status !== 429;
    this.queued = error instanceof Refused && error.place > 0;
    if (this.queued) this.terminals?.cover(`${reason(error)} Your place is kept.`, button("Read on", () => this.readOn()));
    else this.terminals?.cover(reason(error), button("Try now", () => void this.start()));
    if (!final) this.later(() => void this.start(), wait);
  }

  /** To the text, which needs no sandbox. */
  private readOn(): void {
    this.sheet(false);
    this.querySelector<HTMLElement>("main")?.focus();
  }

  private later(act: () => void, seconds: number): void {
    clearTimeout(this.retry);
    this.retry = window.setTimeout(act, seconds * 1000);
  }

  private ended(): void {
    this.started();
    clearTimeout(this.retry);
    this.deafen();
    this.sandbox = null;
    this.opened = false;
    this.terminals?.close();
    if (this.time) this.time.expires = 0;
    if (this.wall) this.wall.sandbox = "";
    this.toggleControls(false);
    this.terminals?.cover(
      "This sandbox has ended. Results are kept, files are not.",
      button("Start a new one", () => void this.start(), "main"),
    );
  }

  /** What the server says of the sandbox now. */
  private take(sandbox: Sandbox): void {
    this.sandbox = sandbox;
    if (sandbox.state === "ended") this.ended();
    this.terminals?.notice("lost", sandbox.state === "lost" ? "The sandbox does not answer. Your shell runs on." : "");
    if (sandbox.state !== "live") return;
    this.started();
    this.toggleControls(true);
    if (this.wall) this.wall.sandbox = sandbox.id;
    if (this.opened) return;
    this.opened = true;
    this.terminals?.open(sandbox.terminal, sandbox.id);
  }

  private async lookAgain(): Promise<void> {
    if (!this.sandbox) return;
    try {
      this.take(await call<Sandbox>("GET", `/sandboxes/${this.sandbox.id}`));
      if (this.sandbox && !this.events && !document.hidden) this.hear();
    } catch (error) {
      if (error instanceof Refused && (error.status === 404 || error.status === 410)) this.ended();
      else this.later(() => void this.lookAgain(), again);
    }
  }

  // What happens in the sandbox.

  private hear(): void {
    if (!this.sandbox || document.hidden) return;
    this.deafen();
    this.events = listen(this.sandbox.id, (told) => this.told(told), () => {
      this.events = null;
      void this.lookAgain();
    });
  }

  private deafen(): void {
    this.events?.close();
    this.events = null;
  }

  private told(told: Told): void {
    if (told.sandbox && this.sandbox) this.take({ ...this.sandbox, ...told.sandbox });
    if (told.left !== undefined && this.time) this.time.expires = Date.now() + told.left * 1000;
    if (told.result) this.found(told.result, false);
    if (told.notice) this.noticed(told.notice);
  }

  /** What is full or silent stays said until the server takes it back. */
  private noticed({ code, text }: Notice): void {
    const reset = button("Reset", () => this.askReset());
    const lasts = code.endsWith("-full") || code === "silent";
    const ours = code === "processes-full" || code === "memory-full";
    const actions = [...(ours && this.rescuable ? [button("End my processes", () => void this.rescue())] : []), reset];
    if (!lasts) this.terminals?.say(text);
    else this.terminals?.notice(code, text, ...actions);
  }

  /** The last minutes begin, or were put off. */
  private soon(soon: boolean): void {
    const more = button("+15 min", () => void this.extend());
    const left = this.time?.textContent ?? "";
    this.terminals?.notice("soon", soon ? `${left}. Then results are kept, files are not.` : "", more);
  }

  private found(result: Result, asked: boolean): void {
    const task = this.tasks.find((one) => one.task === result.task);
    if (!task) return;
    const passed = task.passed;
    const words = result.message.replaceAll("`", "");
    const news = asked || (!passed && result.attempted && (result.status === "pass" || words !== task.told));
    if (news && result.status !== "broken") this.terminals?.judge(result.status === "pass");
    if (news && this.terminals?.isLarge) this.terminals.say(words);
    const anew = task.show(result, asked);
    const sheet = this.querySelector(".sheet-words");
    if (sheet && (anew || (!passed && (asked || result.attempted)))) sheet.textContent = words;
    if (anew) void this.renew();
  }

  /** A pass changes more than its own task; the server renders them all. */
  private async renew(): Promise<void> {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const task of this.tasks) {
      const newer = page.getElementById(task.id);
      if (newer) task.renew(newer);
    }
  }

  // What the learner asks for.

  private async check(task: string): Promise<void> {
    await this.ask(task, "check", { task });
  }

  private async answer(task: string, value: string): Promise<void> {
    await this.ask(task, "answer", { task, value });
  }

  private async ask(task: string, what: string, body: unknown): Promise<void> {
    const asking = this.tasks.find((one) => one.task === task);
    if (!this.sandbox) {
      asking?.fault("There is no sandbox to look into yet.");
      return;
    }
    try {
      const got = await call<{ results: Result[] }>("POST", `/sandboxes/${this.sandbox.id}/${what}`, body);
      for (const result of got.results) this.found(result, result.task === task);
      asking?.removeAttribute("aria-busy");
    } catch (error) {
      asking?.fault(reason(error));
    }
  }

  private run({ line, tab }: Line): void {
    if (!this.sandbox || this.sandbox.state !== "live") {
      this.terminals?.say("The sandbox isn't there yet; nothing was typed.");
      return;
    }
    this.sheet(true);
    this.terminals?.type(line, tab);
  }

  private clicked(event: Event): void {
    const act = (event.target as Element).closest<HTMLElement>("[data-act]")?.dataset["act"];
    if (act === "extend") void this.extend();
    if (act === "reset") this.askReset();
    if (act === "sheet") this.sheet(!this.hasAttribute("data-sheet"));
  }

  /** On a narrow screen the terminal is a sheet at the foot. */
  private sheet(open: boolean): void {
    this.toggleAttribute("data-sheet", open);
    const toggle = this.querySelector("[data-act=sheet]");
    toggle?.setAttribute("aria-expanded", String(open));
    if (toggle) toggle.textContent = open ? "Close" : "Terminal";
  }

  private async extend(): Promise<void> {
    if (!this.sandbox) return;
    try {
      await call("POST", `/sandboxes/${this.sandbox.id}/extend`, {}); // the events tell the new end
      this.terminals?.say("15 min more.");
    } catch (error) {
      this.terminals?.say(reason(error));
    }
  }

  private askReset(): void {
    const no = button("Keep it", () => this.terminals?.say(""));
    this.terminals?.say(
      "Reset ends your processes and empties your home. Results are kept.",
      button("Reset it", () => void this.reset()),
      no,
    );
    this.sheet(true);
    no.focus();
  }

  private async reset(): Promise<void> {
    if (!this.sandbox) return;
    this.terminals?.say("Resetting.");
    this.terminals?.expectEnds();
    try {
      await call("POST", `/sandboxes/${this.sandbox.id}/reset`, {});
      this.terminals?.expectEnds();
      this.terminals?.say("The sandbox is as new.");
      this.terminals?.focus();
      await this.renew();
    } catch (error) {
      this.terminals?.say(reason(error));
    }
  }

  private async rescue(): Promise<void> {
    if (!this.sandbox) return;
    this.terminals?.say("Ending your processes.");
    this.terminals?.expectEnds();
    try {
      await call("POST", `/sandboxes/${this.sandbox.id}/rescue`);
      this.terminals?.expectEnds();
      this.terminals?.say("Your processes have ended; your home is kept.");
      this.terminals?.focus();
    } catch (error) {
      if (error instanceof Refused && (error.status === 404 || error.status === 405)) {
        this.rescuable = false;
        if (this.terminals) this.terminals.rescuable = false;
        void this.lookAgain();
      }
      this.terminals?.say(reason(error));
    }
  }

  // Who is inside.

  private get terminals(): TerminalsElement | null {
    return this.querySelector<TerminalsElement>("sn-terminals");
  }

  private get time(): TimeElement | null {
    return this.querySelector<TimeElement>("sn-time");
  }

  private get wall(): WallElement | null {
    return this.querySelector<WallElement>("sn-wall");
  }

  private get tasks(): TaskElement[] {
    return [...this.querySelectorAll<TaskElement>("sn-task")];
  }

  /** The task that Ctrl+Enter checks: where the focus is, else the first to do. */
  private current(): TaskElement | undefined {
    return (
      this.tasks.find((task) => task.contains(document.activeElement)) ??
      this.tasks.find((task) => !task.passed && task.state !== "locked")
    );
  }

  private toggleControls(on: boolean): void {
    for (const control of this.querySelectorAll<HTMLButtonElement>("[data-act=extend], [data-act=reset]")) {
      control.disabled = !on;
    }
  }
}
customElements.define("sn-sandbox", SandboxElement);
