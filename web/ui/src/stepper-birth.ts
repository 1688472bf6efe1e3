import { type Area, arrow, changed, draw, layer, named, shape, sheet, theLine, words } from "./drawing.js";
import { before, type MakeScene } from "./stepper-scene.js";

// From fork to wait: the shell and its child above the line, what the kernel keeps of
// them below it, memory and disk at the foot.

interface Moment {
  child: string[]; // the parts of the child's address space, from the top
  childName: string;
  record: string; // what the kernel's record of the child says
  present: number[]; // entries of its page table that lead to a frame
  shared: boolean; // those frames are the shell's
  from: "disk" | "call" | "";
  changed: "child" | "space" | "record" | "table" | "line";
  over: boolean; // the child has ended
}

const moments: Record<string, Moment> = {
  fork: { childName: "bash, a copy", child: ["stack", "libraries", "heap", "text"], record: "running", present: [0, 2, 3, 5], shared: true, from: "", changed: "child", over: false },
  exec: { childName: "a.out", child: [], record: "running a.out", present: [], shared: false, from: "", changed: "space", over: false },
  map: { childName: "a.out", child: ["stack", "data", "text"], record: "running a.out", present: [], shared: false, from: "", changed: "space", over: false },
  link: { childName: "a.out", child: ["stack", "libraries", "data", "text"], record: "running a.out", present: [0, 2], shared: false, from: "", changed: "space", over: false },
  fault: { childName: "a.out", child: ["stack", "libraries", "data", "text"], record: "running a.out", present: [0, 2, 5], shared: false, from: "disk", changed: "table", over: false },
  call: { childName: "a.out", child: ["stack", "libraries", "data", "text"], record: "in a call", present: [0, 2, 4, 5], shared: false, from: "call", changed: "line", over: false },
  exit: { childName: "ended", child: [], record: "zombie, status 0", present: [], shared: false, from: "", changed: "record", over: true },
};

const entries = 6;
const height = 424;
const line = 200;
const foot = 336;

export const birth: MakeScene = () => ({
  paint(step, width) {
    const moment = moments[step.draw ?? ""] ?? moments["fork"]!;
    const alone = step.draw === before; // there is no child yet
    const page = sheet(width, height, step.title);
    const half = width < 460;
    const shell: Area = { x: 0, y: 34, width: half ? 84 : 150, height: 64 };
    const child: Area = { x: half ? 116 : 230, y: 34, width: width - (half ? 116 : 230) - 6, height: 142 };
    const record: Area = { x: 0, y: line + 44, width: half ? 134 : 214, height: 66 };
    const table: Area = { x: record.width + 30, y: line + 44, width: width - record.width - 36, height: 66 };
    page.append(layer("user", 16), theLine(width, line, moment.from === "call" ? child.x + 40 : undefined), layer("kernel", line + 30));
    page.append(named("user", shell, "bash", alone ? "your shell" : step.draw === "fork" ? "calls fork" : "waits"));

    // Memory and disk, as they are without the child.
    const disk: Area = { x: 0, y: foot + 34, width: record.width, height: 46 };
    const frames: Area = { x: table.x, y: foot + 34, width: table.width, height: 46 };
    page.append(layer("hardware", foot + 12), draw("path", { class: "rule", d: `M0 ${foot - 6}H${width}` }));
    page.append(named("io", disk, half ? "disk" : "disk: the file a.out"));
    if (alone) {
      page.append(named("memory", frames, half ? "memory" : "the shell's memory"));
      return page;
    }

    // The child and the parts of its memory.
    page.append(words(child.x, 26, moment.childName, { kind: "bold" }));
    if (moment.over) page.append(draw("rect", { class: "rule", ...child }), words(child.x + child.width / 2, child.y + child.height / 2 + 5, "memory given back", { anchor: "middle", kind: "soft" }));
    else {
      page.append(shape("user", child));
      if (moment.child.length === 0) page.append(words(child.x + child.width / 2, child.y + child.height / 2 + 5, "an empty address space", { anchor: "middle", kind: "soft" }));
      const each = (child.height - 16) / 4;
      const place = (name: string): number => ["stack", "libraries", "heap", "data", "text"].indexOf(name === "data" ? "heap" : name);
      for (const part of moment.child) {
        const row = Math.min(3, place(part) > 2 ? 3 : place(part));
        const area: Area = { x: child.x + 8, y: child.y + 8 + row * each + 2, width: child.width - 16, height: each - 4 };
        page.append(named(part === "libraries" ? "io" : part === "text" ? "cpu" : "memory", area, part));
      }
    }
    if (step.draw === "fork") page.append(arrow([[shell.x + shell.width, 66], [child.x - 3, 66]]));

    // What the kernel keeps.
    page.append(named("kernel", record, moment.over ? "record kept" : "record", half && moment.over ? "status 0" : moment.record));
    page.append(shape("kernel", table), words(table.x + 12, table.y + 24, half ? "its memory map" : "where the child's memory is", { kind: "bold" }));
    const cell = (table.width - 24) / entries;
    for (let i = 0; i < entries; i++) {
      const on = moment.present.includes(i);
      const at: Area = { x: table.x + 12 + i * cell, y: table.y + 34, width: cell - 3, height: 22 };
      page.append(draw("g", { class: on ? "hue-memory" : "hue-plain" }, draw("rect", { class: "shape", ...at })));
      if (on) page.append(arrow([[at.x + at.width / 2, at.y + 22], [at.x + at.width / 2, foot + 32]], "memory", moment.shared));
    }

    page.append(named("memory", frames, moment.shared ? (half ? "shared" : "the shell's memory, shared") : `${half ? "memory" : "parts in memory"}: ${moment.present.length}`));
    if (moment.from === "disk") page.append(arrow([[disk.x + disk.width, foot + 57], [frames.x - 3, foot + 57]], "io"));
    if (moment.from === "call") page.append(arrow([[child.x + 40, child.y + child.height], [child.x + 40, line + 34]], "user"));

    const parts: Record<Moment["changed"], Area> = {
      child: { ...child, y: child.y - 26, height: child.height + 26 },
      space: child,
      record,
      table,
      line: { x: child.x + 14, y: line - 12, width: 52, height: 42 },
    };
    page.append(changed(parts[moment.changed]));
    return page;
  },
});
