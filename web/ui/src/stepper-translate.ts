import { button, el } from "./dom.js";
import { type Area, arrow, changed, cross, draw, letter, named, shape, sheet, words, wrapped } from "./drawing.js";
import { before, type MakeScene } from "./stepper-scene.js";
import { bits, hex, highest, type PageSize, parseAddress, type Translation, translateAddress } from "./translation.js";

const height = 440;
const order = ["split", "tlb", "walk", "fault", "physical"];
const tlbRows = 3;

/**
 * Translating an address, with the reader's own address and page size. At the start the
 * TLB holds only a neighbour; it keeps the pages that were walked to, the last three.
 */
export const translate: MakeScene = (data, redraw) => {
  const start = parseAddress(data.steps[0]?.address ?? "0x004021a8");
  let now = translateAddress(typeof start === "string" ? 0x4021a8n : start, 4096);
  let tlb = [translateAddress(now.address ^ 0x1000n, 4096), translateAddress(now.address ^ 0x20_0000n, 2097152)];
  let message = "";

  const says = el("p", { role: "status" });
  const field = el("input", { type: "text", value: hex(now.address, 8), autocomplete: "off", spellcheck: "false" });
  const set = (address: bigint, size: PageSize): void => {
    now = translateAddress(address, size);
    message = tlb.some((held) => samePage(held, now))
      ? `Page ${hex(now.page)} is in the TLB: a hit, no walk.`
      : `Page ${hex(now.page)} is not in the TLB: a walk of ${now.indexes.length} reads.`;
    says.textContent = message;
    redraw();
  };
  field.addEventListener("input", () => {
    const address = parseAddress(field.value);
    field.setAttribute("aria-invalid", String(typeof address === "string"));
    if (typeof address === "string") says.textContent = address;
    else set(address, now.size);
  });
  const choose = (text: string, next: () => bigint): HTMLButtonElement =>
    button(text, () => {
      field.value = hex(next(), 8);
      field.setAttribute("aria-invalid", "false");
      set(next(), now.size);
    });
  const sizes = ([4096, 2097152] as const).map((size) => {
    const made = button(size === 4096 ? "4 KiB" : "2 MiB", () => {
      for (const other of sizes) other.setAttribute("aria-pressed", String(other === made));
      set(now.address, size);
    });
    made.setAttribute("aria-pressed", String(size === 4096));
    return made;
  });
  const controls = el(
    "div",
    { class: "controls" },
    el("label", { class: "choice" }, "Address ", field),
    el("span", { class: "choice" }, choose("Same page", () => otherByte(now)), choose("Next page", () => (now.address + BigInt(now.size)) & highest)),
    el("span", { class: "choice", role: "group", "aria-label": "Page size" }, "Pages of ", ...sizes),
    says,
  );

  return {
    controls,
    paint(step, width) {
      const at = step.draw === before ? -1 : Math.max(0, order.indexOf(step.draw ?? "split"));
      // Where nothing is there, the TLB has nothing either.
      const entries = tlb.filter((held) => held.size === now.size && !(at === 3 && samePage(held, now))).slice(0, tlbRows);
      const drawing = paintTranslation(width, now, at, entries, step.title);
      if (at >= 2) tlb = [now, ...tlb.filter((held) => !samePage(held, now))].slice(0, 2 * tlbRows);
      return drawing;
    },
  };
};

function samePage(a: Translation, b: Translation): boolean {
  return a.size === b.size && a.page === b.page;
}

/** Another byte of the same page. */
function otherByte(one: Translation): bigint {
  return one.address - one.offset + ((one.offset + 0x350n) & BigInt(one.size - 1));
}

function paintTranslation(width: number, one: Translation, at: number, tlb: Translation[], title: string): SVGSVGElement {
  const page = sheet(width, height, title);
  const half = width < 460;
  const levels = one.indexes.length;
  const digits = one.size === 4096 ? 3 : 6;
  const narrow = half ? Math.floor((width - 4) / (levels + 1)) : 92;
  const areas = one.indexes.map((_, i): Area => ({ x: 2 + i * narrow, y: 30, width: narrow - 4, height: 84 }));
  const offset: Area = { x: 2 + levels * narrow, y: 30, width: width - levels * narrow - 6, height: 84 };

  // The bits of the address.
  page.append(words(0, 16, `virtual address ${hex(one.address, 8)}`, { kind: "bold" }));
  const group = (area: Area, name: string, value: string, text: string, hue: "memory" | "plain"): void => {
    page.append(draw("g", { class: `hue-${hue}` }, draw("rect", { class: "shape", ...area })));
    const middle = area.x + area.width / 2;
    page.append(words(middle, area.y + 18, name, { anchor: "middle", kind: "soft" }));
    page.append(words(middle, area.y + 36, value, { anchor: "middle", kind: "bold" }));
    page.append(words(middle, area.y + 56, wrapped(text, area.width - 4).slice(0, 2), { anchor: "middle" }));
  };
  for (const [i, area] of areas.entries()) {
    const index = one.indexes[i] ?? 0;
    group(area, half ? `L${one.lowest + levels - 1 - i}` : `level ${one.lowest + levels - 1 - i}`, String(index), bits(index, 9), "memory");
  }
  const offsetText = bits(one.offset, one.offsetBits);
  group(offset, "offset", hex(one.offset, digits), offsetText.length * letter > 2 * offset.width ? `${one.offsetBits} bits` : offsetText, "plain");
  if (at === 0) page.append(changed(offset));

  // The TLB: what is known already.
  const box: Area = { x: 2, y: 140, width: half ? 150 : 230, height: 92 };
  const hit = tlb.find((held) => samePage(held, one));
  page.append(shape("cpu", box), words(box.x + 10, box.y + 20, half ? "TLB" : "TLB: page, frame", { kind: "bold" }));
  if (at >= 1) {
    for (const [i, held] of tlb.entries()) {
      page.append(words(box.x + 24, box.y + 42 + i * 19, `${hex(held.page)}: ${hex(held.frame)}`, { kind: held === hit ? "bold" : "soft" }));
      if (held === hit) page.append(draw("polygon", { class: "fill hue-cpu", points: `${box.x + 10},${box.y + 32 + i * 19} ${box.x + 18},${box.y + 37 + i * 19} ${box.x + 10},${box.y + 42 + i * 19}` }));
    }
    const say = hit ? ["hit", `frame ${hex(hit.frame)}`, "about 1 ns"] : ["miss", `no page ${hex(one.page)}`, half ? "so: walk" : `so: a walk, ${levels} reads`];
    page.append(words(box.x + box.width + 16, box.y + 38, say.slice(0, 1), { kind: "bold" }), words(box.x + box.width + 16, box.y + 57, say.slice(1)));
  }
  if (at === 1) page.append(changed(box));

  // The walk, table by table.
  const room = width / (levels + 1);
  const tables = one.indexes.map((_, i): Area => ({ x: 2 + i * room, y: 268, width: room - 20, height: 72 }));
  const frame: Area = { x: 2 + levels * room, y: 268, width: room - 6, height: 72 };
  for (const [i, area] of tables.entries()) {
    const last = i === levels - 1;
    page.append(words(area.x, area.y - 10, half ? `L${one.lowest + levels - 1 - i}` : `level ${one.lowest + levels - 1 - i}`, { kind: "soft" }), shape("memory", area));
    if (at < 2) continue;
    const index = one.indexes[i] ?? 0;
    const row: Area = { x: area.x, y: area.y + 8 + Math.round((index / 511) * (area.height - 40)), width: area.width, height: 24 };
    page.append(draw("g", { class: "hue-memory" }, draw("rect", { class: "shape entry", ...row })));
    page.append(words(row.x + row.width / 2, row.y + 17, String(index), { anchor: "middle", kind: "bold" }));
    const next = tables[i + 1] ?? frame;
    const missing = last && at === 3;
    if (!missing) page.append(arrow([[row.x + row.width, row.y + 12], [next.x - 2, row.y + 12]], "memory"));
    if (missing) page.append(cross(row.x + row.width + 10, row.y + 12), changed(row));
  }
  if (at === 3) page.append(words(frame.x + frame.width, frame.y - 8, half ? "fault" : "page fault", { anchor: "end", kind: "bold", hue: "alert" }));
  page.append(named(at >= 2 && at !== 3 ? "memory" : "plain", frame, at === 3 ? "none yet" : "frame", at >= 2 && at !== 3 ? hex(one.frame, 3) : ""));
  if (at === 2) page.append(changed({ x: tables[0]?.x ?? 0, y: 268, width: width - 8, height: 72 }));

  // Frame and offset, side by side.
  page.append(words(0, 376, at === 4 ? `physical address ${hex(one.physical)}` : "physical address", { kind: at === 4 ? "bold" : "soft" }));
  const both: Area = { x: 2, y: 386, width: width - 8, height: 46 };
  const split = Math.round(both.width * (half ? 0.45 : 0.4));
  const known = at === 4;
  page.append(named(known ? "memory" : "plain", { ...both, width: split }, "frame", known ? hex(one.frame, 3) : "?"));
  page.append(named("plain", { ...both, x: both.x + split, width: both.width - split }, "offset", at < 0 ? "?" : hex(one.offset, digits)));
  if (known) page.append(changed(both));
  return page;
}
