import { call, reason, Refused, type Result, type Sandbox } from "./api.js";
import { button } from "./dom.js";
import { movePanes } from "./panes.js";
import { upgradeRunnable } from "./runnable.js";
import { listen, type Told } from "./sandbox-events.js";
import { TaskElement } from "./sn-task.js";
import type { TerminalElement } from "./sn-terminal.js";
import type { TimeElement } from "./sn-time.js";

const slow = 5000; // ms after which a start says how long it takes
const again = 3; // seconds until the next try, when the server names none

/**
 * `<sn-sandbox module="…" lab="…">`: the learner's sandbox of a lab, around the
 * whole page. It asks for the sandbox, hears what happens in it, and passes
 * that on to the terminal, the tasks and the clock inside.
 *
 * Hears: `sn-check`, `sn-answer`, `sn-run`, `sn-key`; buttons `[data-act]`
 * (extend, reset, sheet) anywhere inside.
 */
class SandboxElement extends HTMLElement {
  private sandbox: Sandbox | null = null;
  private events: EventSource | null = null;
  private opened = false; // the terminal is connected, or on its way
  private since = 0; // when the start began
  private clock = 0;
  private retry = 0;

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
    this.addEventListener("sn-run", (event) => this.run((event as CustomEvent<string>).detail));
    this.addEventListener("sn-key", (event) => this.terminal?.press((event as CustomEvent<string>).detail));
    this.addEventListener("sn-lost", () => void this.lookAgain());
    this.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("keydown", this.keys);
    document.addEventListener("visibilitychange", this.seen);
    upgradeRunnable(this);
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
    this.starting();
    try {
      const sandbox = await call<Sandbox>("POST", "/sandboxes", {
        module: this.getAttribute("module"),
        lab: this.getAttribute("lab"),
      });
      this.opened = false;
      this.take(sandbox);
      this.hear();
    } catch (error) {
      this.notStarted(error);
    }
  }

  /** Words while there is nothing to see yet: at once, and with seconds after five. */
  private starting(): void {
    if (this.clock !== 0) return;
    this.since = Date.now();
    this.terminal?.cover("Starting your sandbox.");
    this.clock = window.setInterval(() => {
      const passed = Date.now() - this.since;
      if (passed < slow) return;
      this.terminal?.cover(`Still starting, ${Math.floor(passed / 1000)} s. Read on; it opens here.`);
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
    this.terminal?.cover(reason(error), button("Try now", () => void this.start()));
    if (!final) this.later(() => void this.start(), wait);
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
    this.terminal?.close();
    if (this.time) this.time.expires = 0;
    this.toggleControls(false);
    this.terminal?.say("");
    this.terminal?.cover(
      "This sandbox has ended. Results are kept, files are not.",
      button("Start a new one", () => void this.start(), "main"),
    );
  }

  /** What the server says of the sandbox now. */
  private take(sandbox: Sandbox): void {
    this.sandbox = sandbox;
    if (sandbox.state === "ended") this.ended();
    if (sandbox.state === "lost") this.terminal?.say("Connection lost. Your shell runs on.");
    if (sandbox.state !== "live") return;
    this.started();
    this.toggleControls(true);
    if (this.opened) return;
    this.opened = true;
    void this.terminal?.open(sandbox.terminal);
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
    if (told.notice) {
      const full = told.notice.code.endsWith("-full");
      this.terminal?.say(told.notice.text, ...(full ? [button("Reset", () => this.askReset())] : []));
    }
  }

  private found(result: Result, asked: boolean): void {
    const task = this.tasks.find((one) => one.task === result.task);
    if (!task) return;
    const passed = task.passed;
    task.show(result, asked);
    const words = this.querySelector(".sheet-words");
    if (words && (asked || result.attempted) && !passed) words.textContent = result.message.replaceAll("`", "");
    if (result.status === "pass" && !passed) void this.renew();
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

  private run(line: string): void {
    if (!this.sandbox || this.sandbox.state !== "live") {
      this.terminal?.say("The sandbox isn't there yet; nothing was typed.");
      return;
    }
    this.sheet(true);
    this.terminal?.type(line);
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
      this.terminal?.say("15 min more.");
    } catch (error) {
      this.terminal?.say(reason(error));
    }
  }

  private askReset(): void {
    const no = button("Keep it", () => this.terminal?.say(""));
    this.terminal?.say(
      "Reset ends your processes and empties your home. Results are kept.",
      button("Reset it", () => void this.reset()),
      no,
    );
    this.sheet(true);
    no.focus();
  }

  private async reset(): Promise<void> {
    if (!this.sandbox) return;
    this.terminal?.say("Resetting.");
    try {
      await call("POST", `/sandboxes/${this.sandbox.id}/reset`, {});
      this.terminal?.say("The sandbox is as new.");
      this.terminal?.focus();
      await this.renew();
    } catch (error) {
      this.terminal?.say(reason(error));
    }
  }

  // Who is inside.

  private get terminal(): TerminalElement | null {
    return this.querySelector<TerminalElement>("sn-terminal");
  }

  private get time(): TimeElement | null {
    return this.querySelector<TimeElement>("sn-time");
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
