// A terminal that never lost its connection, beside the one that is tested: what it
// shows is what must be seen.
import assert from "node:assert/strict";
import headless from "@xterm/headless";
import { lines } from "./screen.mjs";

export class Oracle {
  /** Watches a terminal from its first byte, in a browser of its own with the learner's cookie. */
  static async watch(browser, context, server, sandbox, size, tab = 1) {
    const own = await browser.newContext({ storageState: await context.storageState() });
    const page = await own.newPage();
    await page.goto(`${server.url}/healthz`);
    await page.evaluate(
      ([id, { cols, rows }, tab]) =>
        new Promise((resolve) => {
          const path = `/api/v1/sandboxes/${id}/terminal?tab=${tab}&cols=${cols}&rows=${rows}`;
          const socket = new WebSocket(location.origin.replace("http", "ws") + path, "sysnerd.terminal.v1");
          socket.binaryType = "arraybuffer";
          const oracle = { socket, chunks: [], offset: 0, skipped: 0 };
          window.oracle = oracle;
          socket.onmessage = ({ data }) => {
            if (typeof data !== "string") {
              oracle.chunks.push(new Uint8Array(data));
              oracle.offset += data.byteLength;
              socket.send(JSON.stringify({ type: "ack", offset: oracle.offset }));
              oracle.heard?.();
              return;
            }
            const message = JSON.parse(data);
            if (message.type === "hello") {
              oracle.offset = message.offset;
              resolve();
            }
            if ("writer" in message) oracle.writes = message.writer;
            if (oracle.writes) oracle.written?.();
            if (message.code === "skipped") oracle.skipped += message.bytes;
          };
        }),
      [sandbox, size, tab],
    );
    return new Oracle(own, page, size);
  }

  constructor(context, page, size) {
    Object.assign(this, { context, page, size });
  }

  /** Becomes the one who types. */
  take() {
    return this.page.evaluate(
      () =>
        new Promise((resolve) => {
          if (window.oracle.writes) resolve();
          window.oracle.written = resolve;
          window.oracle.socket.send('{"type":"writer","writer":true}');
        }),
    );
  }

  /** Types each text once the one before has shown something. */
  type(...texts) {
    return this.page.evaluate(async (typed) => {
      for (const text of typed) {
        const shown = new Promise((resolve, reject) => {
          window.oracle.heard = resolve;
          setTimeout(() => reject(new Error(`nothing came after ${JSON.stringify(text)}`)), 5000);
        });
        window.oracle.socket.send(new TextEncoder().encode(text));
        await shown;
      }
    }, texts);
  }

  /** Has it printed again and again, until that many bytes went by. */
  flood(bytes, text) {
    return this.page.evaluate(
      async ([bytes, text]) => {
        const until = window.oracle.offset + bytes;
        while (window.oracle.offset < until) {
          const shown = new Promise((resolve) => (window.oracle.heard = resolve));
          window.oracle.socket.send(new TextEncoder().encode(text));
          await shown;
        }
        // The program has read all of it when it falls silent.
        await new Promise((resolve) => {
          let silence = setTimeout(resolve, 300);
          window.oracle.heard = () => {
            clearTimeout(silence);
            silence = setTimeout(resolve, 300);
          };
        });
      },
      [bytes, text],
    );
  }

  /** The screen that all bytes make. */
  async lines() {
    const { text, skipped } = await this.page.evaluate(() => ({
      text: window.oracle.chunks.map((chunk) => Array.from(chunk, (b) => String.fromCharCode(b)).join("")).join(""),
      skipped: window.oracle.skipped,
    }));
    assert.equal(skipped, 0, "the oracle has seen every byte");
    const term = new headless.Terminal({ ...this.size, scrollback: 0, allowProposedApi: true });
    await new Promise((done) => term.write(Buffer.from(text, "latin1"), done));
    const shown = [];
    for (let row = 0; row < this.size.rows; row++) {
      shown.push(term.buffer.active.getLine(row)?.translateToString(true).trimEnd() ?? "");
    }
    term.dispose();
    return shown;
  }

  /** Waits until that page shows what the oracle does. */
  async agrees(page, timeout = 10_000) {
    const deadline = performance.now() + timeout;
    for (;;) {
      const [seen, truth] = [await lines(page), await this.lines()];
      if (performance.now() > deadline) assert.deepEqual(seen, truth);
      if (JSON.stringify(seen) === JSON.stringify(truth)) return;
      await page.evaluate(() => new Promise((painted) => requestAnimationFrame(painted)));
    }
  }

  close() {
    return this.context.close();
  }
}
