// What all drawings share: shapes that mean something, words, arrows, and the line
// between user and kernel. One unit is one CSS pixel, so that words keep their size at
// every width; a drawing is made anew when its room changes.

export type Hue = "user" | "kernel" | "memory" | "cpu" | "io" | "alert" | "plain";

const hues: readonly string[] = ["user", "kernel", "memory", "cpu", "io", "alert", "plain"];

/** The hue that content names; "plain" for none. */
export function hueOf(name: string | undefined): Hue {
  return name !== undefined && hues.includes(name) ? (name as Hue) : "plain";
}

type Attributes = Record<string, string | number | undefined>;

export function draw(tag: string, attributes: Attributes = {}, ...children: (Node | string)[]): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/** An empty drawing of this size in pixels, which a screen reader calls by `label`. */
export function sheet(width: number, height: number, label: string): SVGSVGElement {
  return draw("svg", {
    class: "drawing",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-label": label,
  }) as SVGSVGElement;
}

export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/**
 * The shape of a hue: user a single outline, kernel a double one, memory a grid of
 * cells, cpu a cut corner, io dashed.
 */
export function shape(hue: Hue, { x, y, width, height }: Area): SVGElement {
  const group = draw("g", { class: `hue-${hue}` });
  const rect = (inset: number, kind: string): SVGElement =>
    draw("rect", { class: kind, x: x + inset, y: y + inset, width: width - 2 * inset, height: height - 2 * inset });
  if (hue === "cpu") {
    const cut = Math.min(14, height / 2);
    const points = [
      [x, y],
      [x + width - cut, y],
      [x + width, y + cut],
      [x + width, y + height],
      [x, y + height],
    ];
    group.append(draw("polygon", { class: "shape", points: points.map((p) => p.join(",")).join(" ") }));
    return group;
  }
  group.append(rect(0, "shape"));
  if (hue === "kernel") group.append(rect(3.5, "inner"));
  if (hue === "memory") {
    const cell = 14;
    for (let at = x + cell; at < x + width - 2; at += cell) group.append(draw("path", { class: "cell", d: `M${at} ${y}v${height}` }));
    for (let at = y + cell; at < y + height - 2; at += cell) group.append(draw("path", { class: "cell", d: `M${x} ${at}h${width}` }));
  }
  return group;
}

/** Pixels that a letter of the labels' type takes (14 px, all letters are equally wide). */
export const letter = 8.7;
export const lineHeight = 18;

/** Breaks words into lines that fit; a word that is too long is broken too. */
export function wrapped(text: string, width: number): string[] {
  const most = Math.max(4, Math.floor(width / letter));
  const lines: string[] = [];
  let now = "";
  for (const word of text.replaceAll("`", "").split(/\s+/).filter(Boolean)) {
    const longer = now === "" ? word : `${now} ${word}`;
    if (longer.length <= most) {
      now = longer;
      continue;
    }
    if (now !== "") lines.push(now);
    now = word;
    while (now.length > most) {
      lines.push(now.slice(0, most));
      now = now.slice(most);
    }
  }
  return now === "" ? lines : [...lines, now];
}

export interface Type {
  anchor?: "start" | "middle" | "end";
  /** bold names things, soft explains them; the rest says what stands there. */
  kind?: "bold" | "soft" | "plain";
  hue?: Hue;
}

/** Lines of words, without the marks of code; `y` is the first one's base. */
export function words(x: number, y: number, lines: string | string[], { anchor = "start", kind = "plain", hue }: Type = {}): SVGElement {
  const group = draw("text", { class: `words ${kind}${hue ? ` hue-${hue} in-hue` : ""}`, "text-anchor": anchor, x, y });
  for (const [i, line] of (Array.isArray(lines) ? lines : [lines]).entries()) {
    group.append(draw("tspan", { x, y: y + i * lineHeight }, line.replaceAll("`", "")));
  }
  return group;
}

/** A shape with its name in the middle, broken to fit. */
export function named(hue: Hue, area: Area, name: string, note = ""): SVGElement {
  const inside = area.width - 16;
  const bold = wrapped(name, inside);
  const soft = note === "" ? [] : wrapped(note, inside);
  const top = area.y + area.height / 2 - ((bold.length + soft.length) * lineHeight) / 2 + 13;
  const middle = area.x + area.width / 2;
  const group = draw("g", {}, shape(hue, area));
  if (hue === "memory") group.append(plate(area, bold.length + soft.length, Math.max(...[...bold, ...soft].map((line) => line.length))));
  group.append(words(middle, top, bold, { anchor: "middle", kind: "bold" }));
  if (soft.length > 0) group.append(words(middle, top + bold.length * lineHeight, soft, { anchor: "middle" }));
  return group;
}

/** Ground for words that stand on cells. */
function plate({ x, y, width, height }: Area, lines: number, letters: number): SVGElement {
  const wide = Math.min(width - 4, letters * letter + 10);
  const high = Math.min(height - 4, lines * lineHeight + 2);
  return draw("rect", { class: "plate hue-memory", x: x + (width - wide) / 2, y: y + (height - high) / 2, width: wide, height: high });
}

/** A path with a head at its end; points are corners. */
export function arrow(points: [number, number][], hue: Hue = "plain", dashed = false): SVGElement {
  const group = draw("g", { class: `arrow hue-${hue}` });
  const [tip, before] = [points.at(-1), points.at(-2)];
  if (!tip || !before) return group;
  const angle = Math.atan2(tip[1] - before[1], tip[0] - before[0]);
  const back: [number, number] = [tip[0] - 7 * Math.cos(angle), tip[1] - 7 * Math.sin(angle)];
  const side = (turn: number): string =>
    `${tip[0] - 9 * Math.cos(angle + turn)},${tip[1] - 9 * Math.sin(angle + turn)}`;
  group.append(
    draw("path", {
      class: dashed ? "stroke dashed" : "stroke",
      d: "M" + [...points.slice(0, -1), back].map((p) => p.join(" ")).join("L"),
    }),
    draw("polygon", { class: "head", points: `${tip.join(",")} ${side(0.45)} ${side(-0.45)}` }),
  );
  return group;
}

/** The double rule, with a notch at `notch` where a call crosses. */
export function theLine(width: number, y: number, notch?: number): SVGElement {
  const one = (dy: number, depth: number, half: number): string =>
    notch === undefined ? `M0 ${y + dy}H${width}` : `M0 ${y + dy}H${notch - half}v${depth}h${2 * half}v${-depth}H${width}`;
  return draw("g", { class: "line" }, draw("path", { d: one(0, 14, 13) }), draw("path", { d: notch === undefined ? one(5, 0, 0) : `M0 ${y + 5}H${notch - 18}M${notch + 18} ${y + 5}H${width}` }));
}

/** The name of a layer, at the left of its band. */
export function layer(name: "user" | "kernel" | "hardware", y: number): SVGElement {
  return words(0, y, name, name === "hardware" ? { kind: "soft" } : { kind: "bold", hue: name });
}

/** The two pixels around what this step changed. */
export function changed({ x, y, width, height }: Area): SVGElement {
  return draw("rect", { class: "changed", x: x - 5, y: y - 5, width: width + 10, height: height + 10 });
}

/** A kill or a fault. */
export function cross(x: number, y: number, size = 8): SVGElement {
  return draw("path", {
    class: "cross",
    d: `M${x - size} ${y - size}l${2 * size} ${2 * size}M${x + size} ${y - size}l${-2 * size} ${2 * size}`,
  });
}

/**
 * A drawing that is made anew whenever its room changes. Widths are whole pixels, 280 at
 * least. It never asks for a layout: it hears of one.
 */
export class Fitted {
  private width = 0;
  private readonly observer = new ResizeObserver((sizes) => {
    const room = Math.floor(sizes.at(-1)?.contentRect.width ?? 0);
    const width = Math.max(280, Math.min(widest, room));
    if (room === 0 || width === this.width) return;
    this.width = width;
    this.redraw();
  });

  constructor(
    private readonly into: HTMLElement,
    private readonly paint: (width: number) => SVGSVGElement,
  ) {
    this.observer.observe(into);
  }

  /** Something other than the room has changed. */
  redraw(): void {
    if (this.width > 0) this.into.replaceChildren(this.paint(this.width));
  }

  stop(): void {
    this.observer.disconnect();
  }
}

const widest = 640;

/** The JSON that the server put beside an element, or undefined. */
export function dataOf(element: Element): unknown {
  const text = element.querySelector('script[data-part="data"]')?.textContent;
  return text ? (JSON.parse(text) as unknown) : undefined;
}
