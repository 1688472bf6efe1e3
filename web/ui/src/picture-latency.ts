import { draw, hueOf, sheet, words, wrapped } from "./drawing.js";

export interface Latency {
  rows: { name: string; ns: number; colour?: string }[];
  /** Nanoseconds of one cycle; the first row when it is left out. */
  cycle?: number;
}

/**
 * How long things take, on a scale where each mark is ten times the one before. Beside
 * each: what it would be if a cycle took a second, and the factor to the row above.
 */
export function latency(data: Latency, width: number, title: string): SVGSVGElement {
  const rows = data.rows.filter((row) => row.ns > 0);
  const cycle = data.cycle ?? rows[0]?.ns ?? 1;
  const half = width < 460;
  const nameWide = half ? width : 150;
  const axis = { from: half ? 2 : nameWide + 14, to: width - 8 };
  const lowest = Math.floor(Math.log10(Math.min(...rows.map((row) => row.ns))));
  const highest = Math.ceil(Math.log10(Math.max(...rows.map((row) => row.ns))) + 0.2);
  const x = (ns: number): number => axis.from + ((Math.log10(ns) - lowest) / (highest - lowest)) * (axis.to - axis.from);

  const placed: { row: Latency["rows"][number]; y: number; name: string[] }[] = [];
  let y = 30;
  for (const row of rows) {
    const name = wrapped(row.name, nameWide);
    placed.push({ row, y, name });
    y += half ? name.length * 18 + 68 : Math.max(58, name.length * 18 + 16);
  }
  const page = sheet(width, y + 8, title);
  const every = (axis.to - axis.from) / (highest - lowest) < 58 ? 3 : 1;
  for (let power = lowest; power <= highest; power++) {
    const at = x(10 ** power);
    page.append(draw("path", { class: "rule", d: `M${at} 20v6` + placed.map(({ y, name }) => `M${at} ${half ? y + name.length * 18 : y + 2}v22`).join("") }));
    if ((power - lowest) % every === 0 && power < highest) page.append(words(at, 14, duration(10 ** power / 1e9), { kind: "soft", anchor: power === lowest ? "start" : "middle" }));
  }
  for (const [i, { row, y, name }] of placed.entries()) {
    const hue = hueOf(row.colour);
    const bar = half ? y + name.length * 18 : y + 2;
    page.append(words(2, half ? y + 14 : y + 16, name, { kind: "bold" }));
    const long = Math.max(4, x(row.ns) - axis.from);
    page.append(draw("g", { class: `hue-${hue}` }, draw("rect", { class: "shape", x: axis.from, y: bar + 4, width: long, height: 14 })));
    const before = rows[i - 1];
    const says = [duration(row.ns / 1e9), `like ${asIf(row.ns / cycle)}`, ...(before ? [`${factor(row.ns / before.ns)} × the one above`] : [])];
    page.append(words(axis.from, bar + 36, half ? [says.slice(0, 2).join(", "), ...says.slice(2)] : says.join(", ")));
  }
  return page;
}

/** Seconds in the unit that suits them. */
export function duration(seconds: number): string {
  const units: [number, string][] = [
    [1, "s"],
    [1e-3, "ms"],
    [1e-6, "µs"],
    [1e-9, "ns"],
  ];
  const [size, name] = units.find(([size]) => seconds >= size * 0.9995) ?? [1e-9, "ns"];
  return `${Number((seconds / size).toPrecision(3)).toLocaleString("en")} ${name}`;
}

/** A stretched time, as people count it. */
export function asIf(seconds: number): string {
  const units: [number, string][] = [
    [31_557_600, "year"],
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
    [1, "second"],
  ];
  const [size, name] = units.find(([size]) => seconds >= size * 0.9995) ?? [1, "second"];
  const count = Number((seconds / size).toPrecision(2));
  return `${count.toLocaleString("en")} ${name}${count === 1 ? "" : "s"}`;
}

function factor(times: number): string {
  return Number(times.toPrecision(times < 10 ? 1 : 2)).toLocaleString("en");
}
