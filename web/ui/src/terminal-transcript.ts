import type { Terminal } from "@xterm/xterm";

/** What the terminal printed, as far as it is kept, in plain text. Wrapped lines are whole again. */
export function transcript(term: Terminal): string {
  const lines: string[] = [];
  const kept = term.buffer.normal; // not what vim or less show on top
  for (let at = 0; at < kept.length; at++) {
    const line = kept.getLine(at);
    if (!line) continue;
    const next = kept.getLine(at + 1);
    const text = line.translateToString(!next?.isWrapped);
    if (line.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
    else lines.push(text);
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

/** Gives the reader a file. */
export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
