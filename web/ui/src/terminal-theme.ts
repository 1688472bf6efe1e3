import type { ITheme } from "@xterm/xterm";

/**
 * The terminal's colours, from the page's tokens. Programs' own colour is held
 * back towards ink; cyan is the prompt's, and red means what it means elsewhere.
 */
export function terminalTheme(inside: HTMLElement): ITheme {
  const probe = document.createElement("span");
  probe.hidden = true;
  inside.append(probe);
  const resolve = (colour: string): string => {
    probe.style.color = colour;
    return getComputedStyle(probe).color;
  };
  const token = (name: string): string => resolve(`var(--${name})`);
  const held = (name: string): string => resolve(`color-mix(in srgb, var(--${name}) 60%, var(--ink))`);

  const theme: ITheme = {
    background: token("terminal"),
    foreground: token("ink"),
    cursor: token("ink"),
    cursorAccent: token("terminal"),
    selectionBackground: token("ink"),
    selectionForeground: token("terminal"),
    selectionInactiveBackground: token("soft"),
    scrollbarSliderBackground: token("hairline"),
    scrollbarSliderHoverBackground: token("edge"),
    scrollbarSliderActiveBackground: token("edge"),
    black: token("ink"),
    red: token("alert"),
    green: held("user"),
    yellow: held("cpu"),
    blue: held("kernel"),
    magenta: held("memory"),
    cyan: token("user"),
    white: token("soft"),
    brightBlack: token("soft"),
    brightRed: token("alert"),
    brightGreen: held("user"),
    brightYellow: held("cpu"),
    brightBlue: held("kernel"),
    brightMagenta: held("memory"),
    brightCyan: token("user"),
    brightWhite: token("ink"),
  };
  probe.remove();
  return theme;
}
