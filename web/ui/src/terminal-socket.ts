// One terminal's WebSocket (subprotocol sysnerd.terminal.v1) and what keeps it
// alive: resuming at an offset, acknowledging, holding back input, trying again.

const protocol = "sysnerd.terminal.v1";
/** Largest message of input. */
const messageSize = 16 << 10;
/** Input handed to the browser and not yet sent; the rest waits here, where Ctrl-C can drop it. */
const unsentLimit = 64 << 10;
/** How many bytes may be shown before the server is told. */
const ackEvery = 32 << 10;
/** How long a connection may take. */
const patience = 6000;
/** After this long without an answer to what was typed, or without a word at all, we look whether the line is dead. */
const unanswered = 3000;
const quiet = 20_000;

export interface Size {
  cols: number;
  rows: number;
}

export interface Hello {
  offset: number;
  /** Where the output ended when we came: what is before it is a replay. Null when not said. */
  head: number | null;
  writer: boolean;
}

/** What a socket tells its terminal. */
export interface Listener {
  /** Connected, perhaps back after a cut; `hello.offset` is the number of the next byte. */
  opened(hello: Hello, back: boolean): void;
  output(bytes: Uint8Array): void;
  /**
   * The next output does not follow what we have: that many bytes are lost. What
   * `redraw` says brings the screen there; what was asked before `head` is old.
   */
  skipped(bytes: number, redraw: Uint8Array, head: number): void;
  writer(writer: boolean): void;
  exited(status: number): void;
  notice(text: string): void;
  /** Not connected; the next try is in that many seconds. `unsent` bytes of input were dropped. */
  lost(seconds: number, unsent: number): void;
}

type Control = { type: string } & Record<string, unknown>;

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

export class TerminalSocket {
  private socket: WebSocket | null = null;
  private queue: Uint8Array[] = [];
  private pump = 0;
  private retry = 0;
  private tries = 0;
  private pulse = 0;
  private heardAt = 0;
  private typedAt = 0; // when the first input went out after that; 0 for none
  private probing = false;
  private welcome = false; // the server said hello on this connection
  private wrote = false; // was the writer when the connection broke
  private received: number | null = null; // offset of the next byte to come
  private repeats = 0; // bytes to come that we have already
  private shown = 0;
  private acked = 0;
  private closed = false;

  private readonly online = (): void => this.retryNow();
  private readonly offline = (): void => this.drop();
  private readonly seen = (): void => {
    if (!document.hidden) this.retryNow();
  };

  constructor(
    private readonly path: string,
    private readonly tab: number,
    private readonly listener: Listener,
    private size: Size,
  ) {
    window.addEventListener("online", this.online);
    window.addEventListener("offline", this.offline);
    document.addEventListener("visibilitychange", this.seen);
    this.pulse = window.setInterval(() => void this.feelPulse(), 1000);
    this.connect();
  }

  /** Input waits until the socket takes it. Nothing is kept while there is no connection. */
  send(bytes: Uint8Array): void {
    if (!this.open) return;
    for (let at = 0; at < bytes.length; at += messageSize) {
      this.queue.push(bytes.subarray(at, at + messageSize));
    }
    if (this.typedAt === 0) this.typedAt = performance.now();
    this.flush();
  }

  /** Input waits to be sent. */
  get sending(): boolean {
    return this.queue.length > 0 || (this.socket?.bufferedAmount ?? 0) > messageSize;
  }

  /** Ctrl-C: overtakes and drops the input that waits. */
  interrupt(): void {
    this.queue = [];
    this.control({ type: "interrupt" });
  }

  /** Become the writer. */
  take(): void {
    this.control({ type: "writer", writer: true });
  }

  resize(size: Size): void {
    this.size = size;
    this.control({ type: "resize", cols: size.cols, rows: size.rows });
  }

  /** That many more bytes are on the screen, or passed over; idle when nothing waits to be shown. */
  advance(bytes: number, idle: boolean): void {
    this.shown += bytes;
    if (this.shown - this.acked >= ackEvery || (idle && this.shown > this.acked)) {
      this.acked = this.shown;
      this.control({ type: "ack", offset: this.shown });
    }
  }

  /** Number of the next byte that will be shown. */
  get position(): number {
    return this.shown;
  }

  get open(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** What is sent now reaches the shell. */
  get ready(): boolean {
    return this.open && this.welcome;
  }

  retryNow(): void {
    if (this.retry === 0) return;
    clearTimeout(this.retry);
    this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    clearTimeout(this.pump);
    clearInterval(this.pulse);
    window.removeEventListener("online", this.online);
    window.removeEventListener("offline", this.offline);
    document.removeEventListener("visibilitychange", this.seen);
    this.socket?.close(1000);
    this.socket = null;
  }

  /** Gives the connection up, as if it had broken. */
  private drop(): void {
    const socket = this.socket;
    if (!socket) return;
    this.lost(); // not when the socket says so: on a dead line that takes long
    socket.close();
  }

  /**
   * A dead line is as silent as a quiet one, so now and then we ask the server for
   * a word. A hidden page asks nothing.
   */
  private async feelPulse(): Promise<void> {
    if (!this.open || document.hidden || this.probing) return;
    const now = performance.now();
    const waited = this.typedAt > 0 ? now - this.typedAt : 0;
    if (waited < unanswered && now - this.heardAt < quiet) return;
    const socket = this.socket;
    this.probing = true;
    try {
      await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(unanswered) });
      this.hear();
    } catch {
      if (this.socket === socket && now > this.heardAt) this.drop();
    } finally {
      this.probing = false;
    }
  }

  private hear(): void {
    this.heardAt = performance.now();
    this.typedAt = 0;
  }

  private connect(): void {
    this.retry = 0;
    this.welcome = false;
    const url = new URL(this.path, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("tab", String(this.tab));
    url.searchParams.set("cols", String(this.size.cols));
    url.searchParams.set("rows", String(this.size.rows));
    if (this.received !== null) url.searchParams.set("since", String(this.received));
    const socket = new WebSocket(url, protocol);
    socket.binaryType = "arraybuffer";
    const late = window.setTimeout(() => {
      if (this.socket === socket && !this.open) this.drop();
    }, patience);
    socket.addEventListener("open", () => clearTimeout(late));
    socket.addEventListener("message", (event: MessageEvent<unknown>) => {
      if (this.socket !== socket) return;
      this.hear();
      if (event.data instanceof ArrayBuffer) this.output(new Uint8Array(event.data));
      else if (typeof event.data === "string") this.heard(event.data);
    });
    socket.addEventListener("close", () => {
      clearTimeout(late);
      if (this.socket === socket) this.lost();
    });
    this.socket = socket;
  }

  private output(bytes: Uint8Array): void {
    const known = Math.min(this.repeats, bytes.length);
    const fresh = bytes.subarray(known);
    if (known > 0) {
      this.repeats -= known;
      this.control({ type: "ack", offset: (this.received ?? 0) - this.repeats });
    }
    if (fresh.length === 0) return;
    this.received = (this.received ?? 0) + fresh.length;
    this.listener.output(fresh);
  }

  private heard(text: string): void {
    const message = JSON.parse(text) as Control;
    switch (message.type) {
      case "hello":
        this.greeted(message);
        break;
      case "writer":
        this.wrote = message["writer"] === true;
        this.listener.writer(this.wrote);
        if (this.wrote) this.resize(this.size); // whoever wrote before may have another
        break;
      case "exit":
        this.listener.exited(number(message["status"]));
        break;
      case "notice":
        if (message["code"] === "skipped") this.passOver(message);
        else if (typeof message["text"] === "string") this.listener.notice(message["text"]);
        break;
    }
  }

  private greeted(message: Control): void {
    const offset = number(message["offset"]);
    const head = typeof message["head"] === "number" ? message["head"] : null;
    const back = this.received !== null;
    if (this.received === null) {
      this.received = offset;
      this.shown = offset;
      this.acked = offset;
    }
    // Numbers count for the terminal's life: what lies before ours is a repeat.
    this.repeats = Math.max(0, this.received - offset);
    this.tries = 0;
    this.welcome = true;
    const writer = message["writer"] === true;
    this.listener.opened({ offset: this.received, head, writer }, back);
    // The server may still hold our old connection for the writer's.
    if (this.wrote && !writer && !document.hidden) this.take();
    this.wrote = writer;
    this.control({ type: "resize", cols: this.size.cols, rows: this.size.rows });
  }

  private passOver(message: Control): void {
    const lost = number(message["bytes"]);
    const known = Math.min(this.repeats, lost);
    this.repeats -= known;
    if (lost > 0 && lost === known) return;
    this.received = (this.received ?? 0) + lost - known;
    const redraw = typeof message["redraw"] === "string" ? atob(message["redraw"]) : "";
    this.listener.skipped(
      lost - known,
      Uint8Array.from(redraw, (c) => c.charCodeAt(0)),
      number(message["head"]),
    );
  }

  private lost(): void {
    this.socket = null;
    clearTimeout(this.pump);
    this.pump = 0;
    const unsent = this.queue.reduce((sum, chunk) => sum + chunk.length, 0);
    this.queue = [];
    if (this.closed) return;
    // 0.5, 1, 2, 4, 8 s, each give or take a quarter, so that a class does not come back in one moment.
    const wait = Math.min(8000, 500 * 2 ** this.tries) * (0.75 + Math.random() / 2);
    this.tries++;
    this.retry = window.setTimeout(() => this.connect(), wait);
    this.listener.lost(wait / 1000, unsent);
  }

  private control(message: Control): void {
    if (this.open) this.socket?.send(JSON.stringify(message));
  }

  private flush(): void {
    this.pump = 0;
    const socket = this.socket;
    if (!socket || !this.open) return;
    while (socket.bufferedAmount < unsentLimit) {
      const chunk = this.queue.shift();
      if (!chunk) return;
      socket.send(chunk);
    }
    // The browser has no event for "sent", so look again soon.
    this.pump = window.setTimeout(() => this.flush(), 10);
  }
}
