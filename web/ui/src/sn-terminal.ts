import type { FitAddon } from "@xterm/addon-fit";
import type { Terminal } from "@xterm/xterm";
import { button, bytes, el } from "./dom.js";
import { pasted, sticky } from "./sn-keys.js";
import { Clipboard } from "./terminal-clipboard.js";
import { FindBar } from "./terminal-find.js";
import { control, isPageKey } from "./terminal-keys.js";
import { Marks } from "./terminal-marks.js";
import { isFocusReport, muteQueries } from "./terminal-queries.js";
import { Renderer } from "./terminal-renderer.js";
import { fonts, openScreen } from "./terminal-screen.js";
import { type Hello, type Listener, TerminalSocket } from "./terminal-socket.js";
import { terminalTheme } from "./terminal-theme.js";
import { transcript } from "./terminal-transcript.js";

/** Bytes given to xterm.js that it has not shown yet. */
const aheadLimit = 256 << 10;
/** Without the end of the replay from the server: this long a silence ends it. */
const replaySilence = 250;

/** What xterm.js and all that works on it need one another for. */
interface Screen {
  term: Terminal;
  fit: FitAddon;
  marks: Marks;
  find: FindBar;
  clipboard: Clipboard;
  renderer: Renderer;
}

/** What waits to be written, and how many bytes of the terminal's output it stands for. */
interface Chunk {
  bytes: Uint8Array;
  counts: number;
}

function counted(bytes: Uint8Array): Chunk {
  return { bytes, counts: bytes.length };
}

/** Words for the line under the screen. */
export interface Words {
  text: string;
  actions: HTMLElement[];
}

/**
 * `<sn-terminal tab="1">`: one terminal of a sandbox.
 *
 * Methods: `open(path)` connects to that WebSocket, `close()` leaves it, `show()`
 * and `hide()`, `type(line)` types a line and Enter. Events up: `sn-opened`;
 * `sn-lost`: the connection broke, it tries again; `sn-words` (Words).
 * Keys it leaves to the page: see terminal-keys.ts.
 */
export class TerminalElement extends HTMLElement implements Listener {
  private readonly glass = el("div", { class: "screen" });
  private readonly overlay = el("div", { class: "overlay", role: "status" });
  private readonly watching = el("div", { class: "strip", role: "status" });
  private readonly strips = el("div", { class: "strips" }, this.watching);
  private readonly encoder = new TextEncoder();
  private screen: Screen | null = null;
  private building: Promise<Screen> | null = null;
  private socket: TerminalSocket | null = null;
  private resized: ResizeObserver | null = null;
  private inbox: Chunk[] = [];
  private ahead = 0;
  private incoming = 0; // offset of the next byte to arrive
  private head = 0; // what lies before was printed before we came
  private silence = 0;
  private writes = false;
  private control = false; // the next letter is typed with Ctrl
  private countdown = 0;
  private wanted: string[] = []; // lines to type once connected
  private opening = false;
  private back = false; // connected again, and nothing was said since

  private readonly recolour = (): void => {
    if (this.screen) this.screen.term.options.theme = terminalTheme(this);
  };

  connectedCallback(): void {
    this.overlay.hidden = true;
    this.replaceChildren(el("div", { class: "frame" }, this.glass, this.strips, this.overlay));
    document.addEventListener("sn-theme", this.recolour);
  }

  disconnectedCallback(): void {
    document.removeEventListener("sn-theme", this.recolour);
    this.close();
    this.resized?.disconnect();
    this.screen?.term.dispose();
    this.screen = null;
  }

  get tab(): number {
    return Number(this.getAttribute("tab") ?? "1");
  }

  /** A command runs here, or a paste is on its way: leaving now may lose something. */
  get busy(): boolean {
    return this.writes && (this.screen?.marks.running === true || this.socket?.sending === true);
  }

  /** When the newest command began, in the page's time. */
  get began(): number {
    return this.screen?.marks.began ?? 0;
  }

  /** Has a connection, or is on its way to one. */
  get connected(): boolean {
    return this.socket !== null || this.opening;
  }

  override focus(): void {
    this.screen?.term.focus();
  }

  /** Connects to the terminal at that path. */
  async open(path: string): Promise<void> {
    this.opening = true;
    this.building ??= this.build();
    const { term, fit } = await this.building;
    if (!this.isConnected || !this.opening) return;
    this.opening = false;
    this.socket?.close();
    this.inbox = [];
    term.reset();
    fit.fit();
    this.socket = new TerminalSocket(path, this.tab, this, { cols: term.cols, rows: term.rows });
  }

  close(): void {
    this.socket?.close();
    this.socket = null;
    this.opening = false;
    this.wanted = [];
    clearInterval(this.countdown);
    clearTimeout(this.silence);
    this.cover("");
    this.watching.replaceChildren();
  }

  show(): void {
    this.hidden = false;
    this.screen?.renderer.show();
    this.screen?.fit.fit();
  }

  hide(): void {
    this.hidden = true;
    this.screen?.renderer.hide();
  }

  /** Types a line into the shell, and Enter; once there is a connection. */
  type(line: string): void {
    if (!this.socket?.ready) {
      this.wanted.push(line);
      return;
    }
    this.send(this.encoder.encode(`${line}\r`));
    this.screen?.term.scrollToBottom();
  }

  /** Types keys as they are; for those that a touch screen lacks. */
  press(keys: string): void {
    const term = this.screen?.term;
    const arrow = /^\x1b\[([A-D])$/.exec(keys)?.[1];
    if (keys === "\x03") {
      this.interrupt();
    } else if (keys === pasted) {
      this.paste();
    } else if (keys === sticky) {
      this.control = !this.control;
      this.say(this.control ? "Ctrl and …" : "");
      term?.focus();
    } else if (arrow && term?.modes.applicationCursorKeysMode) {
      term.input(`\x1bO${arrow}`);
    } else {
      term?.input(keys);
    }
  }

  copy(): void {
    void this.screen?.clipboard.copy();
  }

  paste(): void {
    void this.screen?.clipboard.read();
  }

  find(): void {
    this.screen?.find.open();
  }

  /** What it printed, as far as that is kept. */
  get transcript(): string {
    return this.screen ? transcript(this.screen.term) : "";
  }

  set reader(on: boolean) {
    if (this.screen) this.screen.term.options.screenReaderMode = on;
  }

  /** Marks the line of the newest command by what a check found. */
  judge(passed: boolean): void {
    this.screen?.marks.judge(passed);
  }

  // What the socket tells.

  opened(hello: Hello, back: boolean): void {
    clearInterval(this.countdown);
    this.incoming = hello.offset;
    this.head = hello.head ?? hello.offset;
    if (!back && hello.head === null) this.waitForSilence();
    this.cover("");
    this.say(back ? "Back. Nothing was lost." : "");
    this.back = back;
    this.writer(hello.writer);
    this.dispatchEvent(new CustomEvent("sn-opened", { bubbles: true }));
    for (const line of this.wanted.splice(0)) this.type(line);
  }

  output(chunk: Uint8Array): void {
    const replayed = this.head - this.incoming;
    this.incoming += chunk.length;
    // Cut where the replay ends, so that a query is judged by its own side.
    if (replayed > 0 && replayed < chunk.length) {
      this.inbox.push(counted(chunk.subarray(0, replayed)), counted(chunk.subarray(replayed)));
    } else {
      this.inbox.push(counted(chunk));
    }
    this.feed();
  }

  skipped(count: number, redraw: Uint8Array, head: number): void {
    // Who comes with an empty screen has lost nothing.
    if (count > 0) this.say(`${this.back ? "Back. " : ""}${bytes(count)} went by.`);
    this.incoming += count;
    this.head = Math.max(this.head, head);
    this.inbox.push({ bytes: redraw, counts: count });
    this.feed();
  }

  writer(writes: boolean): void {
    this.writes = writes;
    this.toggleAttribute("data-watching", !writes);
    this.watching.replaceChildren(
      ...(writes
        ? []
        : [
            el("span", { text: "Open in another tab; you are watching." }),
            button("Type here", () => {
              this.socket?.take();
              this.writes = true; // what is typed right now goes behind the request
              this.focus();
            }),
          ]),
    );
  }

  exited(status: number): void {
    this.say(`The shell ended with status ${status}. Here is a new one.`);
  }

  notice(text: string): void {
    this.say(text);
  }

  lost(seconds: number, unsent: number): void {
    clearInterval(this.countdown);
    let left = Math.max(1, Math.round(seconds));
    const words = el("p");
    const show = (): void => {
      words.textContent = `Connection lost. Your shell runs on. Next try in ${left} s.`;
    };
    show();
    this.cover(words, button("Try now", () => this.socket?.retryNow()));
    this.countdown = window.setInterval(() => {
      left = Math.max(1, left - 1);
      show();
    }, 1000);
    this.say(unsent > 0 ? `${bytes(unsent)} of what you pasted did not go through.` : "");
    this.dispatchEvent(new CustomEvent("sn-lost", { bubbles: true }));
  }

  // The screen.

  private async build(): Promise<Screen> {
    await fonts();
    const { term, fit } = openScreen(this.glass, `Terminal ${this.tab}. F6 leaves it.`);
    const say = (text: string, ...actions: HTMLElement[]): void => this.say(text, ...actions);
    const screen = {
      term,
      fit,
      marks: new Marks(term, () => this.dispatchEvent(new Event("sn-prompt", { bubbles: true }))),
      find: new FindBar(term, this),
      clipboard: new Clipboard(term, say, () => this.writes),
      renderer: new Renderer(term),
    };
    const mute = (): boolean => !this.writes || (this.socket?.position ?? 0) < this.head;
    muteQueries(term, mute);
    this.strips.append(screen.find.element);
    this.glass.addEventListener("paste", screen.clipboard.pasted, { capture: true });
    term.attachCustomKeyEventHandler((event) => this.key(event));
    term.onData((data) => {
      if (isFocusReport(data) && mute()) return;
      this.send(this.encoder.encode(this.controlled(data)));
    });
    term.onBinary((data) => this.send(Uint8Array.from(data, (c) => c.charCodeAt(0))));
    term.onResize((size) => this.socket?.resize(size));
    this.resized = new ResizeObserver(() => {
      if (this.glass.offsetHeight > 0) fit.fit();
    });
    this.resized.observe(this.glass);
    this.screen = screen;
    if (!this.hidden) screen.renderer.show();
    return screen;
  }

  private feed(): void {
    const term = this.screen?.term;
    if (!term) return;
    while (this.ahead < aheadLimit) {
      const chunk = this.inbox.shift();
      if (!chunk) break;
      const socket = this.socket;
      this.ahead += chunk.bytes.length;
      term.write(chunk.bytes, () => {
        this.ahead -= chunk.bytes.length;
        if (this.socket === socket) socket?.advance(chunk.counts, this.ahead === 0 && this.inbox.length === 0);
        this.feed();
      });
    }
  }

  private waitForSilence(): void {
    this.head = Number.MAX_SAFE_INTEGER;
    let seen = -1;
    const look = (): void => {
      if (seen === this.incoming && this.ahead === 0) {
        this.head = 0;
        return;
      }
      seen = this.incoming;
      this.silence = window.setTimeout(look, replaySilence);
    };
    look();
  }

  /** Puts words over the dimmed screen; none takes them away. */
  private cover(...words: (HTMLElement | string)[]): void {
    this.overlay.replaceChildren(...words);
    this.overlay.hidden = words[0] === "";
  }

  private say(text: string, ...actions: HTMLElement[]): void {
    this.back = false;
    this.dispatchEvent(new CustomEvent<Words>("sn-words", { bubbles: true, detail: { text, actions } }));
  }

  // Keys.

  /** Returns whether xterm.js should handle the key. */
  private key(event: KeyboardEvent): boolean {
    if (event.type !== "keydown") return true;
    if (isPageKey(event)) return false;
    const only = event.ctrlKey && !event.altKey && !event.metaKey;
    const name = event.key.toLowerCase();
    if (only && name === "v") return false; // the browser's paste event follows
    if (only && name === "c") {
      event.preventDefault();
      if (event.shiftKey || this.screen?.term.hasSelection()) this.copy();
      else this.interrupt();
      return false;
    }
    if (event.key === "Enter" && this.socket?.open === false) {
      event.preventDefault();
      this.socket.retryNow();
      return false;
    }
    return true;
  }

  private interrupt(): void {
    if (this.writes) this.socket?.interrupt();
  }

  /** What was typed, with Ctrl if the Ctrl key of a touch screen was tapped before. */
  private controlled(data: string): string {
    if (!this.control) return data;
    this.control = false;
    this.say("");
    return control(data);
  }

  private send(data: Uint8Array): void {
    if (this.writes) this.socket?.send(data);
  }
}
customElements.define("sn-terminal", TerminalElement);

declare global {
  interface HTMLElementTagNameMap {
    "sn-terminal": TerminalElement;
  }
}
