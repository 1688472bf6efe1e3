import { FitAddon } from "@xterm/addon-fit";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";
import { remembered } from "./remember.js";
import { terminalTheme } from "./terminal-theme.js";

const fontSize = 15;
const fontFamily = '"Atkinson Hyperlegible Mono Variable", "DejaVu Sans Mono", Menlo, Consolas, monospace';

/** Resolves when the terminal's fonts are there: cells are measured once, at its opening. */
export async function fonts(): Promise<void> {
  await Promise.all(
    ["400", "700"].map((weight) => document.fonts.load(`${weight} ${fontSize}px ${fontFamily}`)),
  );
}

/** A terminal that fills its element. Call `fonts` before. */
export function openScreen(into: HTMLElement, name: string): { term: Terminal; fit: FitAddon } {
  const term = new Terminal({
    allowProposedApi: true, // for unicode.activeVersion and decorations
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
    theme: terminalTheme(into),
    linkHandler: { activate: (_event, uri) => visit(uri) },
  });
  const fit = new FitAddon();
  term.loadAddon(fit);
  term.loadAddon(new WebLinksAddon((_event, uri) => visit(uri)));
  term.loadAddon(new Unicode11Addon());
  term.unicode.activeVersion = "11";
  term.open(into);
  term.textarea?.setAttribute("aria-label", name);
  return { term, fit };
}

/** Opens what a program printed as a link, if it leads to the web. */
function visit(uri: string): void {
  if (/^https?:\/\//i.test(uri)) window.open(uri, "_blank", "noopener,noreferrer");
}
