import type { Kill } from "./wall-stream.js";

const space = "http://www.w3.org/2000/svg";
const shown = 30_000; // ms
const gap = 3000; // ms without a point, after which the line is broken
const height = 132;
const head = 18; // px above the highest limit, for its words
const cell = 8;

function svg<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Record<string, string | number>): SVGElementTagNameMap[K] {
  const made = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/**
 * The drawing: half a minute of memory in use, the limit as a wall above it, a cross
 * for each kill. The scale is that of the highest limit, so the wall moves and the
 * memory does not.
 */
export class WallDrawing {
  readonly element = svg("svg", { role: "img", height });
  private readonly area = svg("path", { class: "area", fill: "url(#wall-cells)" });
  private readonly wall = svg("g", { class: "limit" });
  private readonly words = svg("text", { x: 0, y: -5 });
  private readonly crosses = svg("g", { class: "crosses" });
  private readonly ends = [svg("line", { x1: 0 }), svg("line", { x1: 0 })];
  private readonly ranges = [svg("text", { x: 0 }), svg("text", { x: 0 })];
  private points: [number, number][] = [];
  private kills: Kill[] = [];
  private limit = 0;
  private width = 300;

  constructor(
    private readonly low: number,
    private readonly high: number,
  ) {
    const cells = svg("pattern", { id: "wall-cells", width: cell, height: cell, patternUnits: "userSpaceOnUse" });
    cells.append(svg("rect", { width: cell, height: cell }), svg("path", { d: `M${cell} 0H0V${cell}` }));
    const ends = svg("g", { class: "ends" });
    ends.append(...this.ends, ...this.ranges);
    this.wall.append(svg("line", { x1: 0, x2: 4000, y1: -1, y2: -1 }), svg("line", { x1: 0, x2: 4000, y1: 3, y2: 3 }), this.words);
    this.element.append(cells, ends, this.area, this.wall, this.crosses);
  }

  /** Takes what is new. Times are the server's, and so is `now`. */
  take(now: number, trail: [number, number][], kills: Kill[]): void {
    const last = this.points.at(-1)?.[0] ?? 0;
    const fresh = trail.filter(([at]) => at > last);
    for (const kill of kills) {
      // Whoever is killed stood at the wall, though nobody looked at that moment.
      const at = Date.parse(kill.at) - 1;
      if (kill.limit > 0 && last > 0 && at > last && at <= now) fresh.push([at, kill.limit]);
    }
    fresh.sort((a, b) => a[0] - b[0]);
    this.points = [...this.points, ...fresh].filter(([at]) => at > now - shown - gap);
    this.kills = kills;
    this.draw(now);
  }

  set memory(limit: number) {
    this.limit = limit;
    this.wall.style.transform = `translateY(${this.y(limit)}px)`;
  }

  set label(text: string) {
    if (this.words.textContent !== text) this.words.textContent = text;
  }

  /** What stands at the two ends, unless the wall is there. */
  set range(words: [string, string]) {
    [this.low, this.high].forEach((size, i) => {
      const text = this.ranges[i];
      if (text) text.textContent = size === this.limit ? "" : (words[i] ?? "");
    });
  }

  /** Forgets another sandbox. */
  clear(): void {
    this.points = [];
    this.kills = [];
    this.draw(0);
  }

  resize(width: number): void {
    this.width = Math.max(100, Math.floor(width));
    this.element.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    [this.low, this.high].forEach((size, i) => {
      const end = this.ends[i];
      end?.setAttribute("x2", String(this.width));
      end?.setAttribute("y1", String(this.y(size)));
      end?.setAttribute("y2", String(this.y(size)));
      this.ranges[i]?.setAttribute("y", String(this.y(size) + (i === 0 ? 15 : -5)));
    });
    this.memory = this.limit;
    this.draw(this.points.at(-1)?.[0] ?? 0);
  }

  private y(bytes: number): number {
    return height - 1 - Math.min(1, bytes / this.high) * (height - 1 - head);
  }

  private x(at: number, now: number): number {
    return this.width * (1 - (now - at) / shown);
  }

  private draw(now: number): void {
    const foot = height - 1;
    let path = "";
    let before = 0;
    let right = 0;
    for (const [at, used] of this.points) {
      const x = this.x(at, now).toFixed(1);
      if (before === 0 || at - before > gap) path += `${path && `V${foot}Z`}M${x} ${foot}`;
      path += `L${x} ${this.y(used).toFixed(1)}`;
      before = at;
      right = this.x(at, now);
    }
    if (path) path += `L${right.toFixed(1)} ${foot}Z`;
    this.area.setAttribute("d", path);
    // The newest cross stays when its moment has left the drawing.
    this.crosses.replaceChildren(
      ...this.kills
        .filter((kill, i) => i === this.kills.length - 1 || Date.parse(kill.at) > now - shown)
        .map((kill) => {
          const x = Math.max(8, Math.min(this.width - 8, this.x(Date.parse(kill.at), now)));
          const y = this.y(kill.limit || this.limit);
          return svg("path", { d: `M${x - 6} ${y - 6}l12 12m0 -12l-12 12` });
        }),
    );
  }
}
