import type { IDecoration, IMarker, Terminal } from "@xterm/xterm";
import { glyph } from "./dom.js";

/**
 * The shell's marks in the output (OSC 133): whether a command runs, and at which
 * line it was typed. They may be forged by what a program prints; nothing but
 * what is shown here depends on them.
 */
export class Marks {
  /** When the newest command began, in the page's time; 0 before the first. */
  began = 0;
  /** A command runs in the foreground. */
  running = false;
  private prompt: IMarker | undefined;
  private line: IMarker | undefined; // of the newest command
  private shown: IDecoration | undefined; // at that line

  /** `prompted` is called when the shell is ready to be typed to. */
  constructor(
    private readonly term: Terminal,
    private readonly prompted: () => void,
  ) {
    term.parser.registerOscHandler(133, (data) => {
      this.mark(data.charAt(0));
      return true;
    });
  }

  /** Puts a tick or a cross at the line whose command was checked. */
  judge(passed: boolean): void {
    if (!this.line || this.line.isDisposed) return;
    this.shown?.dispose();
    this.shown = this.term.registerDecoration({ marker: this.line, x: 0, width: 1, layer: "top" });
    this.shown?.onRender((at) => {
      if (at.firstChild) return;
      at.classList.add("mark");
      at.setAttribute("aria-hidden", "true"); // the verdict stands at the task
      at.dataset["state"] = passed ? "passed" : "not-yet";
      at.append(glyph(passed ? "passed" : "not-yet"));
    });
  }

  private mark(letter: string): void {
    switch (letter) {
      case "A": // a prompt follows
        this.prompt = this.term.registerMarker(0);
        this.running = false;
        break;
      case "B": // here the learner types
        this.prompted();
        break;
      case "C": // a command begins
        this.line = this.prompt;
        this.shown = undefined; // stays at the line before
        this.began = performance.now();
        this.running = true;
        break;
      case "D": // it ended
        this.running = false;
        break;
    }
  }
}
