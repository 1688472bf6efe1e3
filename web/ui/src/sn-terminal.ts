import { FitAddon } from "@xterm/addon-fit";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";
import { button, bytes, el } from "./dom.js";
import { sticky } from "./sn-keys.js";
import { remember, remembered } from "./remember.js";
import { terminalTheme } from "./terminal-theme.js";
import { type Hello, type Listener, TerminalSocket } from "./terminal-socket.js";

const fontSize = 15;
const fontFamily = '"Atkinson Hyperlegible Mono Variable", "DejaVu Sans Mono", Menlo, Consolas, monospace';
/** Bytes given to xterm.js that it has not shown yet. */
const aheadLimit = 256 << 10;
/** A terminal that reads whole lines keeps 4,095 bytes of one and its newline. */
const longestLine = 4095;
/** What a program may offer for copying. */
const offerLimit = 128 << 10;
/** Without the end of the replay from the server: this long a silence ends it. */
const replaySilence = 250;

/**
 * `<sn-terminal tab="1">`: one terminal of a sandbox.
 *
 * Methods: `open(path)` connects to that WebSocket, `close()` leaves it,
 * `type(line)` types a line and Enter, `cover(…)` and `say(…)` show words over
 * and under the screen. Event `sn-lost`: the connection broke, it tries again.
 * Keys it leaves to the page: F6, Ctrl+Shift+Space, Ctrl+Enter.
 */
export class TerminalElement extends HTMLElement implements Listener {
  private readonly screen = el("div", { class: "screen" });
  private readonly overlay = el("div", { class: "overlay", role: "status" });
  private readonly words = el("div", { class: "words", role: "status" });
  private readonly encoder = new TextEncoder();
  private readonly fit = new FitAddon();
  private term: Terminal | null = null;
  private socket: TerminalSocket | null = null;
  private resized: ResizeObserver | null = null;
  private inbox: Uint8Array[] = [];
  private ahead = 0;
  private incoming = 0; // offset of the next byte to arrive
  private head = 0; // what lies before was printed before we came
  private silence = 0;
  private writes = false;
  private control = false; // the next letter is typed with Ctrl
  private countdown = 0;
  private held = ""; // a paste that waits for a yes

  private readonly recolour = (): void => {
    if (this.term) this.term.options.theme = terminalTheme(this);
  };

  connectedCallback(): void {
    const reader = button("Screen reader", () => this.toggleReader(reader), "quiet");
    reader.setAttribute("aria-pressed", String(remembered("screen-reader") === "on"));
    const bar = el("div", { class: "bar" });
    bar.append(
      el("span", { class: "tab", text: `${this.tab} bash` }),
      reader,
      button("Copy", () => void this.copy(), "quiet"),
      button("Paste", () => void this.pasteFromButton(), "quiet"),
    );
    const foot = el("div", { class: "foot" });
    foot.append(this.words, el("span", { class: "leave", text: "F6 leaves the terminal" }));
    this.replaceChildren(bar, el("div", { class: "frame" }, this.screen, this.overlay), foot);
    this.overlay.hidden = true;
    // Before xterm.js, whose own handler would send it in one piece.
    this.screen.addEventListener("paste", (event) => this.pasted(event), { capture: true });
    document.addEventListener("sn-theme", this.recolour);
  }

  disconnectedCallback(): void {
    document.removeEventListener("sn-theme", this.recolour);
    this.close();
    this.resized?.disconnect();
    this.term?.dispose();
    this.term = null;
  }

  get tab(): number {
    return Number(this.getAttribute("tab") ?? "1");
  }

  override focus(): void {
    this.term?.focus();
  }

  /** Connects to the terminal at that path. */
  async open(path: string): Promise<void> {
    const term = this.term ?? (await this.build());
    if (!this.isConnected) return;
    this.socket?.close();
    this.inbox = [];
    term.reset();
    this.fit.fit();
    this.socket = new TerminalSocket(path, this.tab, this, { cols: term.cols, rows: term.rows });
  }

  close(): void {
    this.socket?.close();
    this.socket = null;
    clearInterval(this.countdown);
    clearTimeout(this.silence);
  }

  /** Types a line into the shell, and Enter. */
  type(line: string): void {
    this.send(this.encoder.encode(`${line}\r`));
    this.term?.scrollToBottom();
  }

  /** Types bytes as they are; for keys that a touch screen lacks. */
  press(keys: string): void {
    const arrow = /^\x1b\[([A-D])$/.exec(keys)?.[1];
    if (keys === "\x03") {
      if (this.writes) this.socket?.interrupt();
    } else if (keys === sticky) {
      this.control = !this.control;
      this.say(this.control ? "Ctrl and …" : "");
      this.term?.focus();
    } else if (arrow && this.term?.modes.applicationCursorKeysMode) {
      this.term.input(`\x1bO${arrow}`);
    } else {
      this.term?.input(keys);
    }
  }

  /** Puts words over the dimmed screen; none takes them away. */
  cover(text: string, ...actions: HTMLElement[]): void {
    this.overlay.replaceChildren(...(text === "" ? [] : [el("p", { text }), ...actions]));
    this.overlay.hidden = text === "";
  }

  /** Puts words under the screen. */
  say(text: string, ...actions: HTMLElement[]): void {
    this.words.replaceChildren(...(text === "" ? [] : [el("span", { text }), ...actions]));
  }

  // What the socket tells.

  opened(hello: Hello, back: boolean): void {
    clearInterval(this.countdown);
    this.incoming = hello.offset;
    this.head = hello.head ?? hello.offset;
    if (!back && hello.head === null) this.waitForSilence();
    this.cover("");
    this.say(back ? "Back. Nothing was lost." : "");
    this.writer(hello.writer);
    this.dispatchEvent(new CustomEvent("sn-opened", { bubbles: true }));
  }

  output(chunk: Uint8Array): void {
    const replayed = this.head - this.incoming;
    this.incoming += chunk.length;
    // Cut where the replay ends, so that a query is judged by its own side.
    if (replayed > 0 && replayed < chunk.length) {
      this.inbox.push(chunk.subarray(0, replayed), chunk.subarray(replayed));
    } else {
      this.inbox.push(chunk);
    }
    this.feed();
  }

  skipped(count: number): void {
    this.incoming += count;
    const back = this.words.textContent?.startsWith("Back.") ? "Back. " : "";
    this.say(`${back}${bytes(count)} went by.`);
  }

  writer(writes: boolean): void {
    const before = this.writes;
    this.writes = writes;
    this.toggleAttribute("data-watching", !writes);
    if (!writes) {
      this.say("Open in another tab; you are watching.", button("Type here", () => this.socket?.take()));
    } else if (!before && this.words.textContent?.startsWith("Open in another tab")) {
      this.say("");
    }
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
    const retry = button("Try now", () => this.socket?.retryNow());
    const show = (): void => {
      this.cover(`Connection lost. Your shell runs on. Next try in ${left} s.`, retry);
    };
    show();
    this.countdown = window.setInterval(() => {
      left = Math.max(1, left - 1);
      const text = this.overlay.querySelector("p");
      if (text) text.textContent = `Connection lost. Your shell runs on. Next try in ${left} s.`;
    }, 1000);
    if (unsent > 0) this.say(`${bytes(unsent)} of what you pasted did not go through.`);
    this.dispatchEvent(new CustomEvent("sn-lost", { bubbles: true }));
  }

  // The screen.

  private async build(): Promise<Terminal> {
    await Promise.all(
      ["400", "700"].map((weight) => document.fonts.load(`${weight} ${fontSize}px ${fontFamily}`)),
    );
    const term = new Terminal({
      allowProposedApi: true, // for unicode.activeVersion
      fontFamily,
      fontSize,
      fontWeight: 400,
      fontWeightBold: 700,
      lineHeight: 1.2,
      cursorBlink: false,
      cursorStyle: "block",
      cursorInactiveStyle: "outline",
      scrollback: 5000,
      minimumContrastRatio: 4.5,
      drawBoldTextInBrightColors: false,
      screenReaderMode: remembered("screen-reader") === "on",
      theme: terminalTheme(this),
      linkHandler: { activate: (_event, uri) => visit(uri) },
    });
    term.loadAddon(this.fit);
    term.loadAddon(new WebLinksAddon((_event, uri) => visit(uri)));
    term.loadAddon(new Unicode11Addon());
    term.unicode.activeVersion = "11";
    term.attachCustomKeyEventHandler((event) => this.key(event));
    term.onData((data) => this.send(this.encoder.encode(this.controlled(data))));
    term.onBinary((data) => this.send(Uint8Array.from(data, (c) => c.charCodeAt(0))));
    term.onResize((size) => this.socket?.resize(size));
    this.muteQueries(term);
    term.parser.registerOscHandler(52, (data) => this.offered(data));
    term.open(this.screen);
    term.textarea?.setAttribute("aria-label", `Terminal ${this.tab}. F6 leaves it.`);
    this.resized = new ResizeObserver(() => {
      if (this.screen.offsetHeight > 0) this.fit.fit();
    });
    this.resized.observe(this.screen);
    this.term = term;
    return term;
  }

  /**
   * A terminal answers questions by typing. What was asked before we came has
   * been answered by whoever was there, and only the writer may type.
   */
  private muteQueries(term: Terminal): void {
    const mute = (): boolean => !this.writes || (this.socket?.position ?? 0) < this.head;
    for (const prefix of ["", "?", ">", "="]) {
      const id = prefix === "" ? {} : { prefix };
      term.parser.registerCsiHandler({ ...id, final: "c" }, mute);
      term.parser.registerCsiHandler({ ...id, final: "n" }, mute);
      term.parser.registerCsiHandler({ ...id, intermediates: "$", final: "p" }, mute);
      term.parser.registerCsiHandler({ ...id, final: "q" }, mute);
    }
    term.parser.registerDcsHandler({ intermediates: "$", final: "q" }, mute);
    for (const code of [4, 10, 11, 12]) {
      term.parser.registerOscHandler(code, (data) => data.includes("?") && mute());
    }
  }

  private feed(): void {
    const term = this.term;
    if (!term) return;
    while (this.ahead < aheadLimit) {
      const chunk = this.inbox.shift();
      if (!chunk) break;
      const socket = this.socket;
      this.ahead += chunk.length;
      term.write(chunk, () => {
        this.ahead -= chunk.length;
        if (this.socket === socket) socket?.advance(chunk.length, this.ahead === 0 && this.inbox.length === 0);
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

  // Keys, copy and paste.

  /** Returns whether xterm.js should handle the key. */
  private key(event: KeyboardEvent): boolean {
    if (event.type !== "keydown") return true;
    const only = event.ctrlKey && !event.altKey && !event.metaKey;
    const name = event.key.toLowerCase();
    if (event.key === "F6") return false;
    if (only && event.key === "Enter") return false;
    if (only && event.shiftKey && event.code === "Space") return false;
    if (only && name === "v") return false; // the browser's paste event follows
    if (only && name === "c" && (event.shiftKey || this.term?.hasSelection())) {
      event.preventDefault();
      void this.copy();
      return false;
    }
    if (only && name === "c") {
      event.preventDefault();
      if (this.writes) this.socket?.interrupt();
      return false;
    }
    if (event.key === "Enter" && this.socket?.open === false) {
      event.preventDefault();
      this.socket.retryNow();
      return false;
    }
    return true;
  }

  /** What was typed, with Ctrl if the Ctrl key of a touch screen was tapped before. */
  private controlled(data: string): string {
    if (!this.control) return data;
    this.control = false;
    this.say("");
    return /^[a-z@[\\\]^_]$/i.test(data) ? String.fromCharCode(data.toUpperCase().charCodeAt(0) & 0x1f) : data;
  }

  private send(data: Uint8Array): void {
    if (this.writes) this.socket?.send(data);
  }

  private async copy(): Promise<void> {
    const text = this.term?.getSelection() ?? "";
    if (text === "") {
      this.say("Select text in the terminal first.");
      return;
    }
    await this.toClipboard(text);
    this.term?.clearSelection();
    this.term?.focus();
  }

  private async toClipboard(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.say(`Copied ${bytes(text.length)}.`);
    } catch {
      this.say("The browser keeps its clipboard closed on this address.");
    }
  }

  private async pasteFromButton(): Promise<void> {
    try {
      this.paste(await navigator.clipboard.readText());
      this.term?.focus();
    } catch {
      this.say("The browser does not let a button paste here. Ctrl+V does.");
    }
  }

  private pasted(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    this.paste(event.clipboardData?.getData("text/plain") ?? "");
  }

  private paste(text: string): void {
    if (!this.writes || text === "") return;
    const longest = text
      .split(/\r?\n/)
      .reduce((most, line) => Math.max(most, line.length > longestLine / 4 ? this.encoder.encode(line).length : 0), 0);
    if (longest <= longestLine) {
      this.term?.paste(text);
      return;
    }
    this.held = text;
    const done = (): void => {
      this.held = "";
      this.say("");
      this.term?.focus();
    };
    this.say(
      `One line has ${longest.toLocaleString("en")} bytes. A program that reads whole lines gets the first 4,095.`,
      button("Paste it", () => {
        this.term?.paste(this.held);
        done();
      }),
      button("Leave it", done),
    );
  }

  /** A program offers text for the clipboard (OSC 52): taken by a click, read never. */
  private offered(data: string): boolean {
    const encoded = data.slice(data.indexOf(";") + 1);
    if (encoded === "?" || encoded.length > offerLimit) return true;
    let text: string;
    try {
      text = new TextDecoder().decode(Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0)));
    } catch {
      return true;
    }
    this.say(`A program offers ${bytes(text.length)} to copy.`, button("Copy it", () => void this.toClipboard(text)));
    return true;
  }

  private toggleReader(toggle: HTMLButtonElement): void {
    const on = toggle.getAttribute("aria-pressed") !== "true";
    toggle.setAttribute("aria-pressed", String(on));
    remember("screen-reader", on ? "on" : "off");
    if (this.term) this.term.options.screenReaderMode = on;
  }
}
customElements.define("sn-terminal", TerminalElement);

/** Opens what a program printed as a link, if it leads to the web. */
function visit(uri: string): void {
  if (/^https?:\/\//i.test(uri)) window.open(uri, "_blank", "noopener,noreferrer");
}
