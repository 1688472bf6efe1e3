import { arrow, draw, named, shape, sheet, words } from "./drawing.js";
import { bits, hex, type PageSize, parseAddress, translateAddress } from "./translation.js";

export interface PageWalk {
  address: string;
  levels?: number;
  page?: number;
}

/** An address taken apart, and the tables that its pieces choose an entry of. */
export function pageWalk(data: PageWalk, width: number, title: string): SVGSVGElement {
  const address = parseAddress(data.address);
  const size = ([2097152, 1073741824] as PageSize[]).find((one) => one === data.page) ?? 4096;
  const one = translateAddress(typeof address === "string" ? 0n : address, size, data.levels ?? 4);
  const half = width < 460;
  const levels = one.indexes.length;
  const high = 74; // of a row
  const page = sheet(width, 96 + levels * high + 74, title);
  const digits = Math.ceil(one.offsetBits / 4);

  // The pieces of the address stand in a column, each beside the table that it indexes.
  const piece = half ? 112 : 190;
  const table = { x: half ? 168 : 300, width: half ? width - 172 : 170 };
  page.append(words(2, 18, half ? hex(one.address, 8) : `address ${hex(one.address, 8)}`, { kind: "bold" }));
  page.append(words(2, 40, half ? "9 bits each" : "in pieces of 9 bits:", { kind: "soft" }), words(table.x, 40, half ? "512 entries" : "tables of 512 entries", { kind: "soft" }));
  const top = (i: number): number => 56 + i * high;
  for (const [i, index] of one.indexes.entries()) {
    const y = top(i);
    page.append(shape("plain", { x: 2, y, width: piece, height: 54 }));
    page.append(words(12, y + 22, half ? bits(index, 9) : `${bits(index, 9)}  bits`, { kind: "plain" }), words(12, y + 42, `= ${index}`, { kind: "bold" }));
    page.append(shape("memory", { x: table.x, y, width: table.width, height: 54 }));
    page.append(draw("g", { class: "hue-memory" }, draw("rect", { class: "shape", x: table.x, y: y + 16, width: table.width, height: 24 })));
    page.append(words(table.x + table.width / 2, y + 33, half ? `L${one.lowest + levels - 1 - i}, entry ${index}` : `entry ${index}`, { anchor: "middle", kind: "bold" }));
    if (!half) page.append(words(table.x + table.width + 14, y + 33, `level ${one.lowest + levels - 1 - i}`, { kind: "soft" }));
    page.append(arrow([[2 + piece, y + 28], [table.x - 2, y + 28]]));
    page.append(arrow([[table.x + 20, y + 40], [table.x + 20, top(i + 1) - 2]], "memory"));
  }
  const y = top(levels);
  page.append(named("plain", { x: 2, y, width: piece, height: 54 }, "offset", hex(one.offset, digits)));
  page.append(named("memory", { x: table.x, y, width: table.width, height: 54 }, "frame", hex(one.frame, 3)));
  page.append(arrow([[2 + piece, y + 28], [table.x - 2, y + 28]]));
  page.append(words(2, y + 82, `physical address ${hex(one.physical)}${half ? "" : ": frame, then offset"}`, { kind: "bold" }));
  return page;
}
