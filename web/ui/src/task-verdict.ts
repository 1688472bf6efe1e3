import type { Result } from "./api.js";
import { button, el, inline } from "./dom.js";
import { run } from "./runnable.js";

/** The words of a check that did not pass; `task` is where its evidence is run from. */
export function verdict(task: Element, result: Result): Node[] {
  if (result.status === "broken") {
    const reference = result.reference ? ` Reference ${result.reference}.` : "";
    return [
      el("p", {
        class: "message",
        text: `This check broke. That is our fault; your work is untouched. The next command checks again.${reference}`,
      }),
    ];
  }
  const list = el("dl");
  const row = (name: string, ...value: Node[]): void => {
    list.append(el("dt", { text: name }), el("dd", {}, ...value));
  };
  if (result.expected) row("Expected", ...inline(result.expected));
  if (result.observed) row("Observed", ...inline(result.observed));
  if (result.evidence) {
    const command = result.evidence;
    const go = button("Run", () => run(task, command), "run");
    go.setAttribute("aria-label", `Run ${command}`);
    row("Evidence", el("code", { text: command }), go);
  }
  if (result.hint) row("Hint", ...inline(result.hint));
  return [el("p", { class: "message" }, ...inline(result.message)), list];
}

/**
 * What the tries before `now` were told, each once, folded; `told` is the verdict
 * that is about to be replaced, whose own message goes to the end. Null for none.
 */
export function before(told: Element, now: string): HTMLElement | null {
  const items = [...told.querySelectorAll(".before li")];
  const last = told.querySelector(".message");
  if (last) items.push(el("li", {}, ...last.cloneNode(true).childNodes));
  const texts = items.map((item) => item.textContent);
  const kept = items.filter((item, i) => item.textContent !== now && texts.indexOf(item.textContent) === i);
  if (kept.length === 0) return null;
  const open = told.querySelector(".before")?.hasAttribute("open") ? "" : undefined;
  return el("details", { class: "before", open }, el("summary", { text: `Before: ${kept.length}` }), el("ul", {}, ...kept));
}
