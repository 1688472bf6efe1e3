import { arrow, named, sheet, words, wrapped } from "./drawing.js";

export interface Cycle {
  steps: { name: string; say?: string }[];
}

/** Steps that follow one another for ever. */
export function cycle(data: Cycle, width: number, title: string): SVGSVGElement {
  const half = width < 460;
  const back = 28;
  const box = half ? 100 : 150;
  const sayAt = back + box + 18;
  const page = sheet(width, data.steps.length * 76 + 4, title);
  for (const [i, step] of data.steps.entries()) {
    const area = { x: back, y: 4 + i * 76, width: box, height: 50 };
    page.append(named("cpu", area, step.name));
    const say = wrapped(step.say ?? "", width - sayAt);
    page.append(words(sayAt, area.y + 30 - ((say.length - 1) * 18) / 2, say));
    if (i < data.steps.length - 1) page.append(arrow([[back + box / 2, area.y + 50], [back + box / 2, area.y + 74]]));
  }
  const last = 4 + (data.steps.length - 1) * 76 + 25;
  page.append(arrow([[back, last], [8, last], [8, 29], [back - 2, 29]]));
  return page;
}
