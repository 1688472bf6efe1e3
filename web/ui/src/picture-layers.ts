import { type Area, arrow, draw, type Hue, layer, named, sheet, theLine, words, wrapped } from "./drawing.js";

export interface Layers {
  user: string[];
  kernel: string[];
  hardware?: string[] | null;
  crossing?: string;
}

/** What stands above the line, below it, and at the foot. */
export function layers(data: Layers, width: number, title: string): SVGSVGElement {
  const half = width < 460;
  const boxes = (items: string[], y: number): { placed: { area: Area; text: string }[]; bottom: number } => {
    const most = half ? 2 : Math.max(1, Math.min(4, items.length));
    const placed = items.map((text, i) => {
      const inRow = Math.min(most, items.length - Math.floor(i / most) * most);
      const wide = (width - 6 - 12 * (inRow - 1)) / inRow;
      return { area: { x: 2 + (i % most) * (wide + 12), y: y + Math.floor(i / most) * 62, width: wide, height: 50 }, text };
    });
    return { placed, bottom: y + Math.ceil(items.length / most) * 62 };
  };
  const user = boxes(data.user, 26);
  const line = user.bottom + 14;
  const notch = half ? 76 : width * 0.5;
  const crossing = wrapped(data.crossing ?? "", width - notch - 34);
  const kernel = boxes(data.kernel, line + 34 + Math.max(1, crossing.length) * 18);
  const hardware = boxes(data.hardware ?? [], kernel.bottom + 34);
  const page = sheet(width, hardware.bottom + 2, title);
  page.append(layer("user", 16), layer("kernel", line + 44), layer("hardware", hardware.placed[0] ? hardware.placed[0].area.y - 10 : 0));
  page.append(theLine(width, line, notch), draw("path", { class: "rule", d: `M0 ${kernel.bottom + 6}H${width}` }));
  page.append(arrow([[notch, user.bottom - 10], [notch, line + 36 + (half ? 20 : 0)]], "user"));
  page.append(words(notch + 26, line + 30, crossing));
  const hues: [typeof user, Hue | undefined][] = [
    [user, "user"],
    [kernel, "kernel"],
    [hardware, undefined],
  ];
  for (const [group, hue] of hues) {
    for (const { area, text } of group.placed) page.append(named(hue ?? device(text), area, text));
  }
  return page;
}

/** Hardware is what it is: what computes, what remembers, what moves bytes in and out. */
function device(name: string): Hue {
  if (/core|cpu|processor|register|timer/i.test(name)) return "cpu";
  if (/memory|ram|cache|tlb/i.test(name)) return "memory";
  return "io";
}
