import { button } from "./dom.js";

/** Asks the sandbox around `from` to type a line into its terminal. */
export function run(from: Element, line: string): void {
  from.dispatchEvent(new CustomEvent<string>("sn-run", { bubbles: true, detail: line }));
}

/** Gives every block that may be run its button. Without script it is ordinary code. */
export function upgradeRunnable(within: ParentNode): void {
  for (const block of within.querySelectorAll<HTMLElement>("pre[data-run]")) {
    if (block.dataset["run"] === "ready") continue;
    block.dataset["run"] = "ready";
    const code = block.querySelector("code") ?? block;
    const line = (code.textContent ?? "").trim();
    const go = button("Run", () => run(block, line), "run");
    go.setAttribute("aria-label", `Run ${line}`);
    block.append(go);
  }
}
