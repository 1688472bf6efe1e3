import { button } from "./dom.js";

/** A line to type into a terminal; into the one in view when none is named. */
export interface Line {
  line: string;
  tab?: number;
}

/** Asks the sandbox around `from` to type a line into its terminal. */
export function run(from: Element, line: string, tab?: number): void {
  const detail: Line = tab === undefined ? { line } : { line, tab };
  from.dispatchEvent(new CustomEvent<Line>("sn-run", { bubbles: true, detail }));
}

/** Gives every block that may be run its button. Without script it is ordinary code. */
export function upgradeRunnable(within: ParentNode): void {
  for (const block of within.querySelectorAll<HTMLElement>("pre[data-run]")) {
    if (block.dataset["run"] === "ready") continue;
    block.dataset["run"] = "ready";
    const code = block.querySelector("code") ?? block;
    const line = (code.textContent ?? "").trim();
    const tab = /^[1-9]$/.test(block.dataset["term"] ?? "") ? Number(block.dataset["term"]) : undefined;
    const go = button("Run", () => run(block, line, tab), "run");
    go.setAttribute("aria-label", `Run ${line}`);
    block.append(go);
  }
}
