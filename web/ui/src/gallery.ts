// The gallery: every state of what the course is made of, for those who work on it.
import "./course.js";
import { el, glyph } from "./dom.js";
import { pictures, steppers } from "./gallery-samples.js";
import { upgradeRunnable } from "./runnable.js";
import { verdict } from "./task-verdict.js";
import { WallDrawing } from "./wall-drawing.js";

function data(value: unknown): HTMLScriptElement {
  return el("script", { type: "application/json", "data-part": "data", text: JSON.stringify(value) });
}

function made(tag: string, attributes: Record<string, string>, ...children: (Node | string)[]): HTMLElement {
  const one = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  one.append(...children);
  return one;
}

function radios(options: string[], right = -1): HTMLElement {
  return el("div", { class: "choices" }, ...options.map((option, i) => el("label", {}, el("input", { type: "radio", name: "choice", value: right < 0 ? option : String(i), ...(i === right ? { "data-right": "" } : {}) }), el("span", { text: option }))));
}

function predict(id: string, said: boolean): HTMLElement {
  const form = el("form", { class: "predict" }, el("fieldset", {}, el("legend", { text: "Predict: How many system calls does date make?" }), radios(["1", "about 10", "about 100"])), el("div", { class: "row" }, el("button", { class: "scripted", text: "Say it" })));
  const whole = made("sn-predict", { "data-id": id, "data-answer": "about 100" }, form, el("details", { "data-part": "reply" }, el("summary", { text: "Answer" }), el("p", { text: "Most of them bring in the libraries." })));
  if (said) queueMicrotask(() => submit(whole, (field) => field.value === "1"));
  return whole;
}

function recall(id: string, kind: "choice" | "text" | "aloud", answer?: string): HTMLElement {
  const middle = { choice: () => radios(["To make programs faster", "So that a program can't reach devices and other programs"], 1), text: () => el("input", { type: "text", name: "choice", "aria-labelledby": `recall-${id}` }), aloud: () => el("ul", { "data-part": "points" }, el("li", { text: "registers are cheap" }), el("li", { text: "cold caches are dear" })) }[kind]();
  const form = el("form", { class: "recall", "aria-labelledby": `recall-${id}` }, middle, el("div", { class: "row" }, el("button", { class: "scripted", text: "Answer" })));
  const wrong = el("template", { "data-reply": "0" });
  wrong.content.append("A crossing costs time. It buys a border.");
  const whole = made("sn-recall", { "data-id": id, "data-kind": kind, "data-accept": '["write"]' }, el("p", { "data-part": "question", id: `recall-${id}`, text: `Why two modes? (${id})` }), form, wrong, el("details", { "data-part": "answer" }, el("summary", { text: "Answer" }), el("p", { text: "The processor itself keeps a program from devices and from others." })));
  if (answer !== undefined)
    queueMicrotask(() =>
      submit(whole, (field) => {
        if (field.type === "text") field.value = answer;
        return field.value === answer;
      }),
    );
  return whole;
}

function submit(within: HTMLElement, chooses: (field: HTMLInputElement) => boolean): void {
  for (const field of within.querySelectorAll("input")) field.checked = chooses(field);
  within.querySelector("form")?.requestSubmit();
}

function answers(): HTMLElement {
  const rows = [
    ["R", "running", "cpu", "On a CPU, or waiting for one."],
    ["S", "sleeping", "user", "Waits for something. Any signal wakes it."],
    ["D", "in I/O", "io", "Waits for a device. Most signals wait too, and when the device has gone for good, so has the process, until the machine starts anew."],
    ["Z", "zombie", "alert", "Has ended. Its parent has not asked how."],
  ] as const;
  const body = el("tbody", {}, ...rows.map(([key, name, colour, text]) => el("tr", { "data-colour": colour }, el("th", { scope: "row" }, el("b", { text: key }), ` ${name}`), el("td", {}, el("p", { text }), el("pre", { "data-run": "" }, el("code", { text: "ps -o pid,stat,comm" }))))));
  return made("sn-answers", { "data-id": "gallery-states", id: "table-gallery-states" }, el("table", {}, el("caption", { text: "Process states" }), body));
}

/** The gauntlet, brought into a state by its own buttons. */
function gauntlet(name: string, ...presses: string[]): HTMLElement {
  localStorage.removeItem(`gauntlet:gallery-${name}`);
  const questions = ["context switch", "deadlock"].map((about) =>
    el(
      "li",
      { id: `${name}-${about.replace(" ", "-")}`, "data-name": about },
      el("h2", { text: `What is a ${about}?` }),
      el("p", { "data-part": "probing", text: "Whether you name what costs." }),
      el("ul", { "data-part": "points" }, el("li", { text: "registers are cheap" }), el("li", { text: "cold caches are dear" })),
      el("div", { "data-part": "model" }, el("p", { text: "A core passes from one to another, and the cold start costs most." })),
      el("dl", { "data-part": "traps" }, el("dt", { text: "And within one process?" }), el("dd", { text: "The page table stays." })),
      el("ul", { "data-part": "see" }, el("li", {}, el("a", { href: "/", text: "Lab 2" }))),
    ),
  );
  const whole = made("sn-gauntlet", { module: `gallery-${name}`, alone: "" }, el("ol", { class: "questions" }, ...questions));
  void customElements.whenDefined("sn-gauntlet").then(() => {
    for (const text of presses) {
      if (text === "mark all") for (const box of whole.querySelectorAll<HTMLInputElement>(".points input")) box.checked = true;
      else [...whole.querySelectorAll<HTMLElement>(".practice :is(button, a)")].find((one) => one.textContent === text)?.click();
    }
  });
  return whole;
}

/** The wall, drawn from a few seconds of samples. */
function wall(limit: number, used: number[], kill: boolean): HTMLElement {
  const mib = 1 << 20;
  const now = Date.now();
  const drawing = new WallDrawing(128 * mib, 512 * mib);
  drawing.resize(640);
  drawing.memory = limit * mib;
  drawing.label = `${limit} MiB, the wall`;
  drawing.range = ["down to 128 MiB", "up to 512 MiB"];
  const trail = used.map((one, i): [number, number] => [now - (used.length - i) * 1000, one * mib]);
  drawing.take(now, trail, kill ? [{ count: 1, at: new Date(now - 2500).toISOString(), pid: 88, command: "hog", rss: 231 * mib, score: 968, limit: limit * mib }] : []);
  drawing.element.setAttribute("aria-label", `${used.at(-1)} of ${limit} MiB in use`);
  return made("sn-wall", { "data-state": kill ? "killed" : "live" }, el("div", { class: "picture" }, drawing.element));
}

/** A task of a lab in each of its states, without what only a lab can do. */
function tasks(): HTMLElement[] {
  const one = (state: string, says: string, ...parts: (Node | string)[]): HTMLElement =>
    made("sn-task", { "data-state": state, id: `task-gallery-${state}` }, el("h3", {}, glyph(state), el("span", { text: "zombie" }), " ", el("span", { class: "state", text: says })), ...parts);
  const told = (state: string, result: Parameters<typeof verdict>[1]): HTMLElement => el("div", { class: "verdict", id: `verdict-${state}` }, ...verdict(document.body, result));
  const result = { task: "zombie", attempted: true, message: "" };
  return [
    one("locked", "locked", el("p", { text: "Opens after orphan." })),
    one("open", "open", el("p", { text: "Make the zombie go." })),
    one("predicted", "predicted", el("p", { class: "said", text: "You said 137. Now run it." })),
    one("not-yet", "not yet", told("not-yet", { ...result, status: "fail", message: "PID 4711 is still a zombie.", expected: "no process in state Z", observed: "4711 Z, parent 4702 `careless`", evidence: "ps -o pid,ppid,stat,comm -p 4711", hint: "Who must collect its exit status?" })),
    one("broken", "broken", told("broken", { ...result, status: "broken", reference: "7F3A" })),
    one("passed", "passed", el("p", { class: "message", text: "Passed. PID 4711 is gone since careless called wait." })),
    one("revealed", "passed, solution shown", el("p", { class: "message", text: "Passed with the solution shown. It comes back in the gauntlet." })),
  ];
}

function states(): HTMLElement {
  return el("ul", { class: "glyphs" }, ...["open", "locked", "predicted", "not-yet", "broken", "passed", "revealed"].map((state) => el("li", { "data-state": state }, glyph(state), el("span", { text: state }))));
}

function picture({ kind, title, data: values }: (typeof pictures)[number]): HTMLElement {
  const words = el("div", { "data-part": "words" }, el("p", { text: `${title}, in words.` }));
  return made("sn-picture", { "data-kind": kind }, el("figure", {}, el("figcaption", { text: title }), words), data(values));
}

function stepper(one: (typeof steppers)[number]): HTMLElement {
  const list = el("ol", {}, ...one.steps.map(({ title, caption }, i) => el("li", { id: `${one.id}-step-${i + 1}` }, el("p", { "data-part": "name", text: title }), el("p", { "data-part": "caption", text: caption }))));
  return made("sn-stepper", { "data-kind": one.kind, "data-id": one.id, id: one.id }, el("h3", { text: one.title.replaceAll("`", "") }), list, data(one));
}

function screens(): HTMLElement {
  const links = ["/", "/operating-systems", "/operating-systems/terms", "/operating-systems/gauntlet", "/operating-systems/sections/none", "/progress"];
  return el("ul", { class: "links" }, ...links.map((href) => el("li", {}, el("a", { href, text: href }))));
}

function part(title: string, ...children: Node[]): HTMLElement {
  return el("section", {}, el("h2", { text: title }), ...children);
}

const gallery = document.querySelector<HTMLElement>("[data-gallery]");
if (gallery) {
  gallery.classList.add("prose");
  gallery.replaceChildren(
    el("h1", { text: "Gallery" }),
    part("Screens", screens()),
    part("States", states()),
    part("Predictions: before, after", predict("before", false), predict("after", true)),
    part("Recall: choice, wrong, right; typed; aloud", recall("new", "choice"), recall("wrong", "choice", "0"), recall("right", "choice", "1"), recall("typed", "text", "wrote"), recall("aloud", "aloud")),
    part("Table that answers", answers()),
    part("Pictures", ...pictures.map(picture)),
    part("Steppers", ...steppers.map(stepper)),
    part("Gauntlet: new", gauntlet("new")),
    part("Gauntlet: the question", gauntlet("question", "Begin")),
    part("Gauntlet: answering", gauntlet("answering", "Begin", "Write it")),
    part("Gauntlet: marking", gauntlet("marking", "Begin", "Say it", "Done, mark it")),
    part("Gauntlet: the answer", gauntlet("answer", "Begin", "Say it", "Done, mark it", "Show the model answer")),
    part("Gauntlet: dated", gauntlet("dated", "Begin", "Say it", "Done, mark it", "mark all", "Show the model answer", "All questions")),
    part("Gauntlet: none due", gauntlet("none", ...["Begin", "Go on"].flatMap((begin) => [begin, "Say it", "Done, mark it", "mark all", "Show the model answer", "All questions"]))),
    part("Tasks", ...tasks()),
    part("The wall: before, at 90 %, a kill, after", wall(256, [20, 21, 22, 22], false), wall(256, [20, 90, 160, 220, 234], false), wall(256, [90, 180, 240, 256, 24, 22], true), wall(512, [22, 24, 180, 300, 24], false)),
  );
  upgradeRunnable(gallery);
}
