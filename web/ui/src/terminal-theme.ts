import type { ISearchDecorationOptions } from "@xterm/addon-search";
import type { ITheme } from "@xterm/xterm";

/** Resolves a colour as CSS writes it to "rgb(…)". */
function resolver(inside: HTMLElement): { resolve: (colour: string) => string; done: () => void } {
  const probe = document.createElement("span");
  probe.hidden = true;
  inside.append(probe);
  return {
    resolve: (colour) => {
      probe.style.color = colour;
      return getComputedStyle(probe).color;
    },
    done: () => probe.remove(),
  };
}

/** How what was found is marked: outlined, the one that is at hand filled. */
export function found(inside: HTMLElement): ISearchDecorationOptions {
  const { resolve, done } = resolver(inside);
  const hex = (name: string): string => {
    const parts = resolve(`var(--${name})`).match(/\d+/g) ?? [];
    return `#${parts.slice(0, 3).map((part) => Number(part).toString(16).padStart(2, "0")).join("")}`;
  };
  const options = {
    matchBackground: hex("hairline"),
    matchOverviewRuler: hex("soft"),
    activeMatchBackground: hex("hairline"),
    activeMatchBorder: hex("ink"),
    activeMatchColorOverviewRuler: hex("ink"),
  };
  done();
  return options;
}

/**
 * The terminal's colours, from the page's tokens. Programs' own colour is held
 * back towards ink; cyan is the prompt's, and red means what it means elsewhere.
 */
export function terminalTheme(inside: HTMLElement): ITheme {
  const { resolve, done } = resolver(inside);
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
  done();
  return theme;
}
