import { type Area, arrow, lineHeight, shape, sheet, words, wrapped } from "./drawing.js";

export interface Descriptors {
  table: { fd: number | string; to: string }[];
  descriptions: { id: string; offset?: number | string; flags?: string; to: string }[];
  objects: { id: string; name: string; kind?: string }[];
}

/** From the descriptors of a process over open file descriptions to what they lead to. */
export function descriptors(data: Descriptors, width: number, title: string): SVGSVGElement {
  const half = width < 460;
  const gap = half ? 18 : 54;
  const first = half ? 52 : 110;
  const rest = Math.floor((width - first - 2 * gap - 6) / 2);
  const columns = [2, first + gap + 2, first + 2 * gap + rest + 2] as const;
  const inside = rest - 16;
  const heads = [half ? ["fd"] : ["descriptor"], wrapped(half ? "description" : "open file description", rest), ["inode"]];
  const top = 12 + Math.max(...heads.map((head) => head.length)) * lineHeight + 6;

  const stack = (items: { key: string; lines: string[] }[], x: number, wide: number, least: number): Map<string, { area: Area; lines: string[] }> => {
    const placed = new Map<string, { area: Area; lines: string[] }>();
    let y = top;
    for (const { key, lines } of items) {
      const height = Math.max(least, lines.length * lineHeight + 16);
      placed.set(key, { area: { x, y, width: wide, height }, lines });
      y += height + 14;
    }
    return placed;
  };
  const described = (one: Descriptors["descriptions"][number]): string[] => [
    ...(one.offset === undefined ? [] : wrapped(`offset ${one.offset}`, inside)),
    ...(one.flags ? wrapped(one.flags.replaceAll("|", " "), inside) : []),
  ];
  const left = stack(data.table.map((row, i) => ({ key: `${i}`, lines: [String(row.fd)] })), columns[0], first, 36);
  const middle = stack(data.descriptions.map((one) => ({ key: one.id, lines: described(one) })), columns[1], rest, 52);
  const right = stack(data.objects.map((one) => ({ key: one.id, lines: [...wrapped(one.name, inside), ...(one.kind ? wrapped(one.kind, inside) : [])] })), columns[2], rest, 52);
  const bottom = Math.max(...[left, middle, right].flatMap((column) => [...column.values()].map(({ area }) => area.y + area.height)), top);
  const page = sheet(width, bottom + 8, title);
  for (const [i, head] of heads.entries()) page.append(words(columns[i] ?? 0, 14, head, { kind: "soft" }));
  const put = (column: typeof left, hue: "user" | "kernel" | "io"): void => {
    for (const { area, lines } of column.values()) {
      page.append(shape(hue, area));
      const base = area.y + area.height / 2 + 5 - ((lines.length - 1) * lineHeight) / 2;
      for (const [i, line] of lines.entries()) page.append(words(area.x + area.width / 2, base + i * lineHeight, line, { anchor: "middle", kind: i === 0 ? "bold" : "plain" }));
    }
  };
  put(left, "user");
  put(middle, "kernel");
  put(right, "io");
  const link = (from: Area | undefined, to: Area | undefined, hue: "user" | "kernel", nth: number): void => {
    if (from && to) page.append(arrow([[from.x + from.width, from.y + from.height / 2], [to.x - 2, to.y + Math.min(to.height - 10, 18 + nth * 14)]], hue));
  };
  const met = new Map<string, number>();
  const nth = (key: string): number => {
    met.set(key, (met.get(key) ?? -1) + 1);
    return met.get(key) ?? 0;
  };
  for (const [i, row] of data.table.entries()) link(left.get(`${i}`)?.area, middle.get(row.to)?.area, "user", nth(row.to));
  for (const one of data.descriptions) link(middle.get(one.id)?.area, right.get(one.to)?.area, "kernel", nth(`object ${one.to}`));
  return page;
}
