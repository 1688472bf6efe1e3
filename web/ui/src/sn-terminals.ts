import { button, el } from "./dom.js";
import { Large } from "./large.js";
import { Menu } from "./menu.js";
import { remember, remembered, rememberHere, rememberedHere } from "./remember.js";
import "./sn-terminal.js";
import type { TerminalElement, Words } from "./sn-terminal.js";
import { tabOf } from "./terminal-keys.js";
import { download } from "./terminal-transcript.js";

const mostTabs = 9;
const endsTake = 5_000; // ms, for the ends of shells to be told

/**
 * `<sn-terminals>`: the terminals of a sandbox, one of them in view; their tabs
 * above, and below a line of words about the sandbox.
 *
 * Methods: `open(path, sandbox)`, `close()`, `type(line, tab)`, `press(keys)`,
 * `cover(…)` puts words over the screen until a terminal is there, `say(…)` puts
 * some under it, `notice(code, …)` some that stay until they are taken back,
 * `expectEnds()` before all shells end on purpose, `judge(passed)` marks the newest
 * command's line. Event up: `sn-rescue`.
 */
export class TerminalsElement extends HTMLElement {
  private readonly list = el("div", { class: "tabs", role: "tablist", "aria-label": "Terminals" });
  private readonly add = button("+", () => this.show(this.free), "quiet");
  private readonly drop = button("Close", () => this.closeTab(this.now), "quiet");
  private readonly stack = el("div", { class: "stack" });
  private readonly overlay = el("div", { class: "overlay", role: "status" });
  private readonly words = el("div", { class: "words", role: "status" });
  private readonly leave = el("span", { class: "leave" });
  private readonly rescue = button("End my processes", () => this.askRescue());
  private readonly reader = button("Screen reader", () => this.toggleReader());
  private readonly large = new Large(this, (on) => this.resized(on));
  private readonly larger = button("Large", () => void (this.large.on ? this.large.leave() : this.large.enter()), "quiet");
  private readonly menu = new Menu("More", [
    this.reader,
    button("Download transcript", () => this.save()),
    this.rescue,
  ]);
  private now = 1; // the tab in view
  private path = "";
  private sandbox = "";
  private ending = 0; // until when the end of a shell is no news
  private said = new Map<number, Words>(); // last said, by tab; 0 is the sandbox
  private standing = new Map<string, Words>(); // by code

  private readonly keys = (event: KeyboardEvent): void => {
    const tab = tabOf(event);
    if (event.key === "F6") this.large.leave();
    if (tab > 0 && this.path !== "") this.show(tab);
    else if (event.ctrlKey && event.shiftKey && event.code === "KeyF") this.terminal?.find();
    else return;
    event.preventDefault();
  };
  private readonly leaving = (event: BeforeUnloadEvent): void => {
    if (this.terminals.some((one) => one.busy)) event.preventDefault();
  };

  connectedCallback(): void {
    this.add.setAttribute("aria-label", "New terminal");
    this.larger.setAttribute("aria-pressed", "false");
    this.reader.setAttribute("aria-pressed", String(remembered("screen-reader") === "on"));
    const bar = el("div", { class: "bar" });
    bar.append(
      this.list,
      this.add,
      this.drop,
      el("span", { class: "push" }),
      button("Find", () => this.terminal?.find(), "quiet"),
      button("Copy", () => this.terminal?.copy(), "quiet roomy"),
      button("Paste", () => this.terminal?.paste(), "quiet roomy"),
      this.menu.element,
      this.larger,
    );
    this.stack.append(this.overlay);
    this.replaceChildren(bar, this.stack, el("div", { class: "foot" }, this.words, this.leave));
    this.cover("");
    this.resized(false);
    this.show(1);
    this.list.addEventListener("keydown", (event) => this.tabKey(event));
    const met = (event: Event): void => {
      if (event.target === this.terminal) this.cover(""); // its own words follow
    };
    this.addEventListener("sn-opened", met);
    this.addEventListener("sn-lost", met);
    this.addEventListener("sn-words", (event) => {
      const { tab } = event.target as TerminalElement;
      const words = (event as CustomEvent<Words>).detail;
      this.said.set(tab, words);
      const expected = performance.now() < this.ending;
      if (tab === this.now && words.text !== "" && !expected) this.said.delete(0);
      this.tell();
    });
    document.addEventListener("keydown", this.keys);
    window.addEventListener("beforeunload", this.leaving);
  }

  disconnectedCallback(): void {
    document.removeEventListener("keydown", this.keys);
    window.removeEventListener("beforeunload", this.leaving);
    this.large.leave();
    this.menu.close();
  }

  override focus(): void {
    this.terminal?.focus();
  }

  /** Fills the screen. */
  get isLarge(): boolean {
    return this.large.on;
  }

  /** Connects to a sandbox's terminals: those that this page had open in it before. */
  open(path: string, sandbox: string): void {
    const before = sandbox === this.sandbox ? this.kept : kept(sandbox);
    for (const one of this.terminals) one.remove();
    this.path = path;
    this.sandbox = sandbox;
    for (const tab of before.open) this.make(tab);
    this.show(before.now);
  }

  close(): void {
    this.path = "";
    for (const one of this.terminals) one.close();
    this.said.clear();
    this.standing.clear();
    this.tell();
  }

  /** Types a line into a terminal, into the one in view if none is named. */
  type(line: string, tab = this.now): void {
    this.show(tab);
    this.terminal?.type(line);
  }

  press(keys: string): void {
    this.terminal?.press(keys);
  }

  judge(passed: boolean): void {
    const newest = this.terminals.toSorted((a, b) => b.began - a.began)[0];
    newest?.judge(passed);
  }

  /** Puts words over the dimmed screen; none takes them away. */
  cover(text: string, ...actions: HTMLElement[]): void {
    if (this.overlay.querySelector("p")?.textContent === text) return; // its button may have the focus
    this.overlay.replaceChildren(...(text === "" ? [] : [el("p", { text }), ...actions]));
    this.overlay.hidden = text === "";
  }

  /** Puts words under the screen, until others come. */
  say(text: string, ...actions: HTMLElement[]): void {
    this.said.set(0, { text, actions });
    this.tell();
  }

  /** Every shell is ended on purpose now: what a terminal says of it hides no other words. */
  expectEnds(): void {
    this.ending = performance.now() + endsTake;
  }

  /** Puts words under the screen that stay until they are taken back, by no text. */
  notice(code: string, text: string, ...actions: HTMLElement[]): void {
    this.standing.delete(code);
    if (text !== "") this.standing.set(code, { text, actions });
    this.tell();
  }

  /** Whether the sandbox can end its processes. */
  set rescuable(can: boolean) {
    this.rescue.hidden = !can;
  }

  // Tabs.

  private get terminals(): TerminalElement[] {
    return [...this.stack.querySelectorAll<TerminalElement>("sn-terminal")];
  }

  private get terminal(): TerminalElement | undefined {
    return this.at(this.now);
  }

  private at(tab: number): TerminalElement | undefined {
    return this.terminals.find((one) => one.tab === tab);
  }

  /** The lowest number that no tab has. */
  private get free(): number {
    let tab = 1;
    while (tab < mostTabs && this.at(tab)) tab++;
    return tab;
  }

  private get kept(): Kept {
    return { sandbox: this.sandbox, open: this.terminals.map((one) => one.tab), now: this.now };
  }

  private make(tab: number): TerminalElement {
    const known = this.at(tab);
    if (known) return known;
    const made = el("sn-terminal", {
      id: `terminal-${tab}`,
      tab: String(tab),
      role: "tabpanel",
      "aria-labelledby": `tab-${tab}`,
    });
    made.hidden = true;
    const after = this.terminals.find((one) => one.tab > tab);
    this.stack.insertBefore(made, after ?? this.overlay);
    return made;
  }

  /** Brings a tab into view, opening it if need be. */
  private show(tab: number): void {
    const held = this.contains(document.activeElement);
    const shown = this.make(tab);
    this.now = tab;
    for (const one of this.terminals) if (one !== shown) one.hide();
    shown.show();
    if (this.path !== "" && !shown.connected) void shown.open(this.path);
    if (this.sandbox !== "") rememberHere("terminals", JSON.stringify(this.kept));
    this.drawTabs();
    this.tell();
    if (held) shown.focus();
  }

  /** Takes a tab off the page. Its shell lives on; opened again it is there. */
  private closeTab(tab: number): void {
    const others = this.terminals.filter((one) => one.tab !== tab);
    const next = others.findLast((one) => one.tab < tab) ?? others[0];
    if (!next) return;
    const gone = this.at(tab);
    const runs = gone?.busy === true;
    this.show(next.tab);
    gone?.remove();
    this.said.delete(tab);
    rememberHere("terminals", JSON.stringify(this.kept));
    this.drawTabs();
    next.focus();
    this.say(`Closed. Terminal ${tab} ${runs ? "and what runs in it go on" : "goes on"}: [+] shows it again.`);
  }

  private drawTabs(): void {
    const all = this.terminals;
    this.list.replaceChildren(
      ...all.map((one) => {
        const tab = button(`${one.tab} bash`, () => {
          this.show(one.tab);
          one.focus();
        });
        const selected = one.tab === this.now;
        tab.id = `tab-${one.tab}`;
        tab.setAttribute("role", "tab");
        tab.setAttribute("aria-selected", String(selected));
        tab.setAttribute("aria-controls", `terminal-${one.tab}`);
        tab.tabIndex = selected ? 0 : -1;
        return tab;
      }),
    );
    this.add.disabled = all.length === mostTabs;
    this.drop.hidden = all.length === 1;
    this.drop.textContent = `Close ${this.now}`;
  }

  private tabKey(event: KeyboardEvent): void {
    const tabs = this.terminals.map((one) => one.tab);
    const at = tabs.indexOf(this.now);
    const next = {
      ArrowLeft: tabs.at(at - 1),
      ArrowRight: tabs[(at + 1) % tabs.length],
      Home: tabs[0],
      End: tabs.at(-1),
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.show(next);
    this.list.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  }

  // Words.

  private tell(): void {
    const last = this.said.get(0) ?? this.said.get(this.now);
    const all = [...(last ? [last] : []), ...[...this.standing.values()].reverse()];
    this.words.replaceChildren(
      ...all
        .filter(({ text }) => text !== "")
        .map(({ text, actions }) => el("span", { class: "word" }, el("span", { text }), ...actions)),
    );
  }

  private resized(large: boolean): void {
    this.larger.setAttribute("aria-pressed", String(large));
    this.leave.textContent = large ? "Esc held, or F6, makes it small" : "F6 leaves the terminal";
  }

  // The menu.

  private save(): void {
    download(`terminal-${this.now}.txt`, this.terminal?.transcript ?? "");
    this.menu.close();
  }

  private askRescue(): void {
    this.menu.close();
    this.dispatchEvent(new CustomEvent("sn-rescue", { bubbles: true }));
  }

  private toggleReader(): void {
    const on = this.reader.getAttribute("aria-pressed") !== "true";
    this.reader.setAttribute("aria-pressed", String(on));
    remember("screen-reader", on ? "on" : "off");
    for (const one of this.terminals) one.reader = on;
  }
}
customElements.define("sn-terminals", TerminalsElement);

/** The tabs that this page had open in a sandbox. */
interface Kept {
  sandbox: string;
  open: number[];
  now: number;
}

function kept(sandbox: string): Kept {
  const fresh = { sandbox, open: [1], now: 1 };
  try {
    const found = JSON.parse(rememberedHere("terminals") ?? "null") as Kept | null;
    return found?.sandbox === sandbox && found.open.includes(found.now) ? found : fresh;
  } catch {
    return fresh;
  }
}
