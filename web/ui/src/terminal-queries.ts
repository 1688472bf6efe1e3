import type { Terminal } from "@xterm/xterm";

/**
 * A terminal answers questions by typing. What was asked before we came has been
 * answered by whoever was there, and only the writer may type: while `mute` says
 * so, questions go unanswered.
 */
export function muteQueries(term: Terminal, mute: () => boolean): void {
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

/**
 * A terminal says whether it has the focus when a program asks to be told, so a
 * replayed wish is a question too.
 */
export function isFocusReport(data: string): boolean {
  return data === "\x1b[I" || data === "\x1b[O";
}
