import { el } from "./dom.js";
import { hueOf } from "./drawing.js";
import { defineInTurn, inTurn } from "./in-turn.js";
import { upgradeRunnable } from "./runnable.js";

/**
 * `<sn-answers data-id>`: a table that answers. Without script and in print it is a
 * table; here its rows are buttons, and one of them is open, the first at the start.
 * Keys on a row: Up and Down, Home, End open the next; Enter and a tap open too.
 */
class AnswersElement extends HTMLElement {
  private rows: { open: HTMLButtonElement; panel: HTMLElement }[] = [];

  connectedCallback(): void {
    inTurn(() => this.build());
  }

  private build(): void {
    if (this.rows.length > 0) return;
    const table = this.querySelector("table");
    const written = [...(table?.tBodies[0]?.rows ?? [])];
    if (!table || written.length === 0) return; // it stays readable as it is
    const id = this.dataset["id"] ?? this.id;
    const grid = el("div", { class: "grid" });
    for (const [i, row] of written.entries()) {
      const [head, ...cells] = row.cells;
      if (!head) continue;
      const open = el("button", { type: "button", "aria-controls": `${id}-row-${i + 1}`, id: `${id}-open-${i + 1}` });
      open.append(...[...head.childNodes].map((node) => node.cloneNode(true)));
      const panel = el("div", { class: "panel", id: `${id}-row-${i + 1}`, role: "group", "aria-labelledby": open.id });
      for (const cell of cells) panel.append(...[...cell.childNodes].map((node) => node.cloneNode(true)));
      const hue = hueOf(row.dataset["colour"]);
      for (const part of [open, panel]) part.classList.add(`hue-${hue}`);
      open.addEventListener("click", () => this.open(i));
      open.addEventListener("keydown", (event) => this.key(event, i));
      grid.append(open, panel);
      this.rows.push({ open, panel });
    }
    grid.style.setProperty("--rows", String(this.rows.length));
    const title = table.caption?.textContent ?? "";
    const named = title === "" ? [] : [el("h3", { text: title, id: `${id}-title` })];
    this.prepend(...named, grid);
    this.dataset["ready"] = "";
    for (const copy of grid.querySelectorAll<HTMLElement>("pre[data-run]")) {
      copy.dataset["run"] = "";
      copy.querySelector("button")?.remove(); // it belongs to the table's own
    }
    upgradeRunnable(grid);
    this.open(0);
  }

  private open(index: number): void {
    for (const [i, { open, panel }] of this.rows.entries()) {
      open.setAttribute("aria-expanded", String(i === index));
      panel.toggleAttribute("data-open", i === index);
    }
  }

  private key(event: KeyboardEvent, index: number): void {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const last = this.rows.length - 1;
    const to = { ArrowDown: Math.min(last, index + 1), ArrowUp: Math.max(0, index - 1), Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.open(to);
    this.rows[to]?.open.focus();
  }
}

defineInTurn("sn-answers", AnswersElement);
