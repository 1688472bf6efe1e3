import { type Area, arrow, changed, draw, layer, letter, named, shape, sheet, theLine, words } from "./drawing.js";
import type { MakeScene } from "./stepper-scene.js";

// A system call: the program and its registers above the line, the kernel's entry,
// table and work below, and a path that grows with each step. The call is read(3, buf, 100).

const order = ["user", "number", "syscall", "entry", "table", "work", "return"];
const height = 404;
const line = 178;

export const crossing: MakeScene = () => ({
  paint(step, width) {
    const at = Math.max(0, order.indexOf(step.draw ?? "user"));
    const half = width < 460;
    const page = sheet(width, height, step.title);
    const notch = Math.round(width * 0.5);
    const gap = half ? 12 : 28;
    const left = Math.floor(width * 0.5) - gap;
    const program: Area = { x: 2, y: 30, width: left, height: 128 };
    const registers: Area = { x: left + gap * 1.5 + 2, y: 30, width: width - left - gap * 1.5 - 8, height: 128 };
    page.append(layer("user", 16), layer("kernel", line + 34), theLine(width, line, notch));

    // The program: which instruction is next.
    const code = ["put 0 in rax", "fd 3, buf, 100", "syscall", "use the bytes"];
    const here = [0, 1, 2, 2, 2, 2, 3][at] ?? 0;
    page.append(shape("user", program), words(program.x + 10, program.y + 22, half ? "program" : "your program, libc", { kind: "bold" }));
    for (const [i, text] of code.entries()) {
      const y = program.y + 46 + i * 22;
      const runs = i === here && (at <= 2 || at === 6);
      if (runs) page.append(draw("polygon", { class: "fill hue-user", points: `${program.x + 8},${y - 10} ${program.x + 16},${y - 5} ${program.x + 8},${y}` }));
      page.append(words(program.x + (half ? 20 : 26), y, half ? text.slice(0, Math.floor((program.width - 22) / letter)) : text, { kind: runs ? "bold" : "soft" }));
    }

    // The core: its mode, and what the registers hold.
    const kernelMode = at >= 2 && at < 6;
    const values = [
      ["mode", kernelMode ? "kernel, 0" : "user, 3"],
      ["rax", at === 0 ? "?" : at === 6 ? "100" : "0"],
      ["rdi", at === 0 ? "?" : "3"],
      ["rsi", at === 0 ? "?" : "buf"],
      ["rdx", at === 0 ? "?" : "100"],
    ] as const;
    page.append(shape("cpu", registers), words(registers.x + 10, registers.y + 22, half ? "core" : "registers of the core", { kind: "bold" }));
    for (const [i, [name, value]] of values.entries()) {
      const y = registers.y + 44 + i * 19;
      page.append(words(registers.x + 10, y, name, { kind: "soft" }), words(registers.x + 54, y, value, { kind: i === 0 ? "bold" : "plain" }));
    }

    // The kernel: entry, table, work, one below the other.
    const box = (row: number): Area => ({ x: half ? 74 : 150, y: line + 28 + row * 66, width: width - (half ? 80 : 156), height: 50 });
    page.append(
      named("kernel", box(0), half ? "entry" : "the entry", half ? "own stack" : "a stack of its own, registers saved"),
      named("kernel", box(1), half ? "table" : "system call table", half ? "0: read" : "0: read, 1: write, 2: open"),
      named("kernel", box(2), half ? "read's work" : "the work of read", half ? "copies bytes" : "checks, then copies 100 bytes to buf"),
    );
    const down = (row: number): SVGElement => arrow([[notch, box(row).y + 50], [notch, box(row + 1).y - 1]], "kernel");
    if (at >= 2) page.append(arrow([[program.x + program.width, program.y + 86], [notch, program.y + 86], [notch, box(0).y - 2]], "user"));
    if (at >= 4) page.append(down(0));
    if (at >= 5) page.append(down(1));
    if (at >= 6) {
      const back = half ? 62 : 84;
      page.append(arrow([[box(2).x, box(2).y + 25], [back, box(2).y + 25], [back, program.y + program.height + 2]], "kernel"));
      if (!half) page.append(words(back + 8, line + 100, "100", { kind: "bold" }));
    }
    const parts: Area[] = [
      program,
      registers,
      { x: notch - 24, y: line - 10, width: 48, height: 34 },
      box(0),
      box(1),
      box(2),
      registers,
    ];
    page.append(changed(parts[at] ?? program));
    return page;
  },
});
