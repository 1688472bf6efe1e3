import { el } from "./dom.js";
import { dataOf, Fitted } from "./drawing.js";
import { defineInTurn, inTurn } from "./in-turn.js";
import { addressSpace } from "./picture-address-space.js";
import { cycle } from "./picture-cycle.js";
import { descriptors } from "./picture-descriptors.js";
import { latency } from "./picture-latency.js";
import { layers } from "./picture-layers.js";
import { pageWalk } from "./picture-page-walk.js";
import { states } from "./picture-states.js";

/** Draws a picture's data in this many pixels of width. */
export type Paint = (data: never, width: number, title: string) => SVGSVGElement;

const kinds: Record<string, Paint> = {
  "address-space": addressSpace,
  "page-walk": pageWalk,
  states,
  descriptors,
  latency,
  cycle,
  layers,
};

/**
 * `<sn-picture data-kind>`: a figure drawn from its data block. What the server wrote in
 * the part `words` says the same without a drawing, and stays as "In words".
 */
class PictureElement extends HTMLElement {
  private stage = el("div", { class: "stage" });
  private drawing: Fitted | undefined;

  connectedCallback(): void {
    inTurn(() => this.isConnected && this.show());
  }

  private show(): void {
    const paint = kinds[this.dataset["kind"] ?? ""];
    const data = dataOf(this);
    const figure = this.querySelector("figure");
    if (!paint || data === undefined || !figure) return; // the words stay
    const title = figure.querySelector("figcaption")?.textContent?.trim() ?? "";
    if (!this.stage.isConnected) this.build(figure);
    this.drawing = new Fitted(this.stage, (width) => paint(data as never, width, title));
    this.dataset["ready"] = "";
  }

  disconnectedCallback(): void {
    this.drawing?.stop();
  }

  private build(figure: HTMLElement): void {
    const written = figure.querySelector<HTMLElement>('[data-part="words"]');
    figure.querySelector("figcaption")?.after(this.stage);
    if (!this.stage.isConnected) figure.prepend(this.stage);
    if (!written) return;
    const said = el("details", { class: "in-words" }, el("summary", { text: "In words" }));
    written.before(said);
    said.append(written);
  }
}
defineInTurn("sn-picture", PictureElement);
