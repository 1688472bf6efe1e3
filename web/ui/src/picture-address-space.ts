import { arrow, draw, hueOf, letter, shape, sheet, words, wrapped } from "./drawing.js";

export interface AddressSpace {
  regions: { name: string; colour?: string; note?: string; grows?: "up" | "down" }[];
  high?: string;
  low?: string;
}

/** The regions of an address space from the highest address down; a gap has no colour. */
export function addressSpace(data: AddressSpace, width: number, title: string): SVGSVGElement {
  const half = width < 460;
  const box = half ? 118 : 200;
  const left = 14;
  const noteAt = left + box + 34;
  const rows = data.regions.map((region) => {
    const note = wrapped(region.note ?? "", width - noteAt);
    const gap = region.colour === undefined;
    return { ...region, note, gap, height: Math.max(gap ? 42 : 50, note.length * 18 + 14) };
  });
  const total = rows.reduce((sum, row) => sum + row.height, 0);
  const page = sheet(width, total + 56, title);
  page.append(words(left, 16, `${data.high ?? ""}  highest address`.trim(), { kind: "soft" }));
  let y = 26;
  for (const row of rows) {
    const area = { x: left, y: y + 2, width: box, height: row.height - 4 };
    if (row.gap) {
      page.append(draw("path", { class: "rule", d: `M${left} ${y}v${row.height}M${left + box} ${y}v${row.height}` }));
      page.append(words(left + box / 2, y + row.height / 2 + 5, row.name, { anchor: "middle", kind: "soft" }));
    } else {
      const hue = hueOf(row.colour);
      page.append(shape(hue, area));
      const name = wrapped(row.name, box - 20);
      const middle = y + row.height / 2 + 5 - ((name.length - 1) * 18) / 2;
      const wide = Math.max(...name.map((line) => line.length)) * letter + 12;
      const plate = { class: `plate hue-${hue}`, x: left + box / 2 - wide / 2, y: middle - 14, width: wide, height: name.length * 18 + 2 };
      page.append(draw("rect", plate), words(left + box / 2, middle, name, { anchor: "middle", kind: "bold" }));
      if (row.grows) {
        const [from, to] = row.grows === "up" ? [area.y + area.height - 4, area.y + 4] : [area.y + 4, area.y + area.height - 4];
        page.append(arrow([[left + box + 14, from], [left + box + 14, to]], hue));
      }
    }
    page.append(words(noteAt, y + row.height / 2 + 5 - ((row.note.length - 1) * 18) / 2, row.note, { kind: row.gap ? "soft" : "plain" }));
    y += row.height;
  }
  page.append(words(left, y + 20, `${data.low ?? ""}  lowest address`.trim(), { kind: "soft" }));
  return page;
}
