import type { Terminal } from "@xterm/xterm";
import { button, bytes } from "./dom.js";

/** A terminal that reads whole lines keeps 4,095 bytes of one and its newline. */
const longestLine = 4095;
/** What a program may offer for copying. */
const offerLimit = 128 << 10;

/** Puts words under the screen. */
export type Say = (text: string, ...actions: HTMLElement[]) => void;

/** What goes from a terminal to the clipboard, and from there into it. */
export class Clipboard {
  private held = ""; // a paste that waits for a yes

  constructor(
    private readonly term: Terminal,
    private readonly say: Say,
    private readonly mayType: () => boolean,
  ) {
    term.parser.registerOscHandler(52, (data) => this.offered(data));
  }

  async copy(): Promise<void> {
    const text = this.term.getSelection();
    if (text === "") {
      this.say("Select text in the terminal first.");
      return;
    }
    await this.write(text);
    this.term.clearSelection();
    this.term.focus();
  }

  /** Pastes what the clipboard holds, as far as the browser lets a button do so. */
  async read(): Promise<void> {
    try {
      this.paste(await navigator.clipboard.readText());
      this.term.focus();
    } catch {
      this.say("The browser does not let a button paste here. Ctrl+V does.");
    }
  }

  /** Takes the browser's paste, which xterm.js would send in one piece. */
  readonly pasted = (event: ClipboardEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    this.paste(event.clipboardData?.getData("text/plain") ?? "");
  };

  private paste(text: string): void {
    if (!this.mayType() || text === "") return;
    const longest = longestOf(text);
    if (longest <= longestLine) {
      this.term.paste(text);
      return;
    }
    this.held = text;
    const done = (): void => {
      this.held = "";
      this.say("");
      this.term.focus();
    };
    this.say(
      `One line has ${longest.toLocaleString("en")} bytes. A program that reads whole lines gets the first 4,095.`,
      button("Paste it", () => {
        this.term.paste(this.held);
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
    this.say(`A program offers ${bytes(text.length)} to copy.`, button("Copy it", () => void this.write(text)));
    return true;
  }

  private async write(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.say(`Copied ${bytes(text.length)}.`);
    } catch {
      this.say("The browser keeps its clipboard closed on this address.");
    }
  }
}

/** Bytes of the longest line. */
function longestOf(text: string): number {
  const encoder = new TextEncoder();
  return text
    .split(/\r?\n/)
    .filter((line) => line.length > longestLine / 4)
    .reduce((most, line) => Math.max(most, encoder.encode(line).length), 0);
}
