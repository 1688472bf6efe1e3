// The gallery: every state of what the course is made of, for those who work on it.
import "./course.js";
import { el, glyph } from "./dom.js";
import { pictures, steppers } from "./gallery-samples.js";
import { upgradeRunnable } from "./runnable.js";

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
  );
  upgradeRunnable(gallery);
}
