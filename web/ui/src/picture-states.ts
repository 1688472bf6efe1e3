import { type Area, arrow, hueOf, letter, lineHeight, named, sheet, words, wrapped } from "./drawing.js";

export interface States {
  states: { key: string; name: string; colour?: string }[];
  moves: { from: string; to: string; say: string }[];
}

/**
 * States and the moves between them. The state with most moves stands at the left over
 * the whole height; the others stand at the right, each with what leads there and back.
 * Moves between two of those run along the right edge, and their words below.
 */
export function states(data: States, width: number, title: string): SVGSVGElement {
  const half = width < 460;
  const count = (key: string): number => data.moves.filter((move) => move.from === key || move.to === key).length;
  const hub = data.states.reduce((best, state) => (count(state.key) > count(best.key) ? state : best), data.states[0] ?? { key: "", name: "" });
  const others = data.states.filter((state) => state !== hub);
  const aside = data.moves.filter((move) => move.from !== hub.key && move.to !== hub.key);
  const hubWide = half ? 82 : 120;
  const longest = Math.max(...others.flatMap(({ name }) => name.split(" ").map((word) => word.length)));
  const wide = Math.min(150, Math.max(half ? 92 : 150, Math.ceil(longest * letter) + 20));
  const edge = 10 + 16 * aside.length;
  const between = { from: hubWide + 6, to: width - wide - edge };
  const room = between.to - between.from - 22;

  let y = 4;
  const rows = others.map((state) => {
    const out = data.moves.filter((move) => move.from === hub.key && move.to === state.key);
    const back = data.moves.filter((move) => move.from === state.key && move.to === hub.key);
    const lines = [...out.map((move) => ({ move, out: true })), ...back.map((move) => ({ move, out: false }))].map((one) => ({ ...one, text: wrapped(one.move.say, room) }));
    const high = Math.max(60, lines.reduce((sum, one) => sum + one.text.length * lineHeight + 16, 10));
    const row = { state, lines, area: { x: width - wide - edge, y: y + 4, width: wide, height: high - 8 } };
    y += high + 12;
    return row;
  });
  const asideWords = aside.map((move) => wrapped(`${nameOf(data, move.from)} to ${nameOf(data, move.to)}: ${move.say}`, width - 30));
  const asideHigh = asideWords.reduce((sum, lines) => sum + lines.length * lineHeight + 4, aside.length > 0 ? 12 : 0);
  const page = sheet(width, y + asideHigh, title);
  const hubArea: Area = { x: 2, y: 8, width: hubWide, height: y - 24 };
  page.append(named(hueOf(hub.colour), hubArea, hub.key, hub.name));
  for (const { state, lines, area } of rows) {
    page.append(named(hueOf(state.colour), area, state.key, state.name));
    let at = area.y + 14;
    for (const { text, out } of lines) {
      page.append(words(between.from + 11, at + 2, text));
      const base = at + (text.length - 1) * lineHeight + 10;
      page.append(arrow(out ? [[between.from - 2, base], [between.to - 2, base]] : [[between.to, base], [between.from - 2, base]]));
      at = base + 18;
    }
  }
  for (const [i, move] of aside.entries()) {
    const [from, to] = [rows.find((row) => row.state.key === move.from)?.area, rows.find((row) => row.state.key === move.to)?.area];
    if (!from || !to) continue;
    const x = width - edge + 12 + 16 * i;
    const turn = (area: Area, down: boolean): number => area.y + area.height / 2 + (down ? 8 : -8);
    const right = from.x + from.width;
    page.append(arrow([[right, turn(from, to.y > from.y)], [x, turn(from, to.y > from.y)], [x, turn(to, to.y < from.y)], [right + 1, turn(to, to.y < from.y)]]));
  }
  let at = y + 14;
  for (const lines of asideWords) {
    page.append(words(2, at, lines));
    at += lines.length * lineHeight + 4;
  }
  return page;
}

function nameOf(data: States, key: string): string {
  const state = data.states.find((one) => one.key === key);
  return state ? `${state.key} (${state.name})` : key;
}
