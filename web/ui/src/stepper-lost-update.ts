import { button, el } from "./dom.js";
import { type Area, changed, cross, draw, named, shape, sheet, words, wrapped } from "./drawing.js";
import { begin, ended, lost, nextOf, programOf, type Race, run, start, type Thread, waits } from "./interleaving.js";
import type { MakeScene } from "./stepper-scene.js";

/**
 * The lost update, with the reader as the scheduler. Until he acts, a step shows the order
 * that it tells of; orders that he found himself are counted. The mutex may be turned on when an
 * order that loses and one that does not were found, or at the step `mutex`.
 */
export const lostUpdate: MakeScene = (data, redraw) => {
  let race = begin(false);
  let allowed = false; // to turn the mutex on
  const found = { loses: false, keeps: false };
  let step: string | undefined; // that is drawn
  let untouched = true; // the race is as the step tells it: the reader has done nothing yet

  const said = el("p", { class: "said", role: "status" });
  const tally = el("p", { class: "tally" });
  const turn = (thread: Thread): HTMLButtonElement =>
    button(`Run ${thread}`, () => {
      const stuck = waits(race, thread);
      untouched = false;
      race = run(race, thread);
      tell(stuck ? `${thread} waits: ${thread === "A" ? "B" : "A"} holds the mutex.` : "");
    });
  const turns = { A: turn("A"), B: turn("B") };
  const again = button("Start again", () => {
    untouched = false;
    race = begin(race.locked);
    tell(`x is ${start} again.`);
  });
  const mutex = button("Mutex", () => {
    if (mutex.getAttribute("aria-disabled") === "true") {
      tell("First find an order that loses, and one that doesn't.");
      return;
    }
    untouched = false;
    race = begin(!race.locked);
    tell(race.locked ? "The mutex is on. Try to lose one now." : "The mutex is off.");
  });
  mutex.setAttribute("aria-pressed", "false");
  const controls = el("div", { class: "controls" }, el("span", { class: "choice", role: "group", "aria-label": "You are the scheduler" }, turns.A, turns.B), again, mutex);
  const result = el("div", { class: "result" }, said, tally);

  function tell(extra: string): void {
    if (ended(race)) {
      if (!race.locked && lost(race)) found.loses = true;
      if (!race.locked && !lost(race)) found.keeps = true;
      said.textContent = lost(race)
        ? `x is ${race.x}. Both added one; one addition is lost.`
        : race.locked
          ? `x is ${race.x}. With the mutex every order ends so.`
          : `x is ${race.x}. Nothing was lost, this time.`;
    } else {
      said.textContent = extra || last();
    }
    show();
    redraw();
  }
  function last(): string {
    const one = race.order.at(-1);
    if (!one) return `x is ${race.x}. Both threads add one to it. Who goes first?`;
    const { register } = race.threads[one.thread];
    const does: Record<string, string> = {
      lock: "takes the mutex",
      load: `loads x: its register holds ${register}`,
      add: `adds one: its register holds ${register}, x is still ${race.x}`,
      store: `stores: x is ${race.x}`,
      unlock: "gives the mutex back",
    };
    return `${one.thread} ${does[one.instruction]}.`;
  }
  function show(): void {
    const may = allowed || (found.loses && found.keeps);
    for (const thread of ["A", "B"] as const) {
      const next = nextOf(race, thread);
      turns[thread].textContent = next ? `${thread}: ${next}` : `${thread}: done`;
      turns[thread].setAttribute("aria-disabled", String(next === undefined || waits(race, thread)));
    }
    mutex.setAttribute("aria-disabled", String(!may));
    mutex.setAttribute("aria-pressed", String(race.locked));
    mutex.textContent = race.locked ? "Mutex on" : "Mutex off";
    tally.textContent = `Found: ${found.loses ? "an order that loses" : "no order yet that loses"}; ${found.keeps ? "one that keeps both" : "none yet that keeps both"}.`;
  }
  said.textContent = last();
  show();

  return {
    controls,
    result,
    paint({ draw }, width) {
      if (draw !== step) {
        step = draw;
        allowed ||= draw === "mutex";
        if (untouched) {
          race = raceOf(draw);
          said.textContent = sayings[draw ?? ""]?.(race) ?? last();
        }
        show();
      }
      return paintRace(width, race, data.title);
    },
  };
};

/** The race that a step tells of. */
function raceOf(draw: string | undefined): Race {
  const orders: Record<string, Thread[]> = { lose: ["A", "B", "A", "B", "A", "B"], keep: ["A", "A", "A", "B", "B", "B"], mutex: ["A", "A"] };
  return (orders[draw ?? ""] ?? []).reduce(run, begin(draw === "mutex"));
}

const sayings: Record<string, (race: Race) => string> = {
  lose: ({ x }) => `x is ${x}, one addition is lost. Start again: your turn.`,
  keep: ({ x }) => `x is ${x}, nothing was lost. Start again: your turn.`,
  mutex: () => "The mutex is on, and A holds it. B has to wait.",
};

function paintRace(width: number, race: Race, title: string): SVGSVGElement {
  const half = width < 460;
  const page = sheet(width, half ? 322 : 284, title);
  const gap = half ? 12 : 28;
  const side = half ? Math.floor((width - 2 * gap - 74) / 2) : 190;
  const middle: Area = { x: side + gap, y: 30, width: width - 2 * side - 2 * gap, height: 82 };
  const program = programOf(race);
  const newest = race.order.at(-1);

  page.append(named("memory", middle, half ? "x" : "x in memory", String(race.x)));
  if (race.locked) {
    const lock: Area = { x: middle.x, y: 136, width: middle.width, height: 56 };
    page.append(named("kernel", lock, "mutex", race.holder ? `held: ${race.holder}` : "free"));
  }
  for (const thread of ["A", "B"] as const) {
    const state = race.threads[thread];
    const x = thread === "A" ? 2 : width - side - 4;
    const box: Area = { x, y: 30, width: side, height: 178 };
    page.append(words(x, 18, half ? thread : `thread ${thread}`, { kind: "bold" }), shape("user", box));
    for (const [i, instruction] of program.entries()) {
      const y = box.y + 26 + i * 22;
      const next = i === state.done;
      if (next) page.append(draw("polygon", { class: "fill hue-user", points: `${x + 8},${y - 10} ${x + 16},${y - 5} ${x + 8},${y}` }));
      page.append(words(x + 24, y, half ? instruction : long[instruction], { kind: next ? "bold" : i < state.done ? "plain" : "soft" }));
    }
    const register: Area = { x: x + 8, y: box.y + 136, width: side - 16, height: 34 };
    page.append(named("cpu", register, half ? `reg ${state.register ?? "?"}` : `register: ${state.register ?? "empty"}`));
    if (newest?.thread === thread) page.append(changed(newest.instruction === "store" ? middle : newest.instruction === "load" || newest.instruction === "add" ? register : box));
  }
  const path = race.order.map(({ thread, instruction }) => `${thread} ${instruction}`).join(", ");
  page.append(words(0, 238, "order so far", { kind: "soft" }), words(0, 258, wrapped(path === "" ? "nothing yet" : path, width).slice(0, 3)));
  if (lost(race)) page.append(cross(middle.x + middle.width - 12, middle.y + 14, 6));
  return page;
}

const long = { lock: "lock mutex", load: "load x", add: "add 1", store: "store to x", unlock: "unlock mutex" };
