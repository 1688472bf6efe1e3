import { el } from "./dom.js";
import { defineInTurn } from "./in-turn.js";
import { glyphOf, ReadingStore } from "./reading-store.js";
import { reachScrollable } from "./scrollable.js";
import { upgradeRunnable } from "./runnable.js";
import type { Recalled } from "./sn-recall.js";

const wide = "(min-width: 1100px)";
const wider = "(min-width: 1600px)"; // room for contents, text and a sandbox
const pace = 3000; // characters a minute, for what is left to read

/**
 * `<sn-reading module section>`: the page of a section. It marks in the table of contents
 * what is being read, keeps the place for "Continue", tells the server when the end was
 * seen and what was recalled.
 */
class ReadingElement extends HTMLElement {
  private store = new ReadingStore(this.getAttribute("module") ?? "");
  private observers: IntersectionObserver[] = [];
  private passages: HTMLElement[] = [];
  private passage: HTMLElement | undefined;
  private readonly sizes = matchMedia(wide);
  private readonly roomy = matchMedia(wider);
  private readonly resized = (): void => this.fitContents();

  connectedCallback(): void {
    const section = this.getAttribute("section");
    upgradeRunnable(this);
    reachScrollable(this);
    if (section === null) return;
    this.addEventListener("sn-recalled", (event) => void this.recalled(section, (event as CustomEvent<Recalled>).detail));
    for (const size of [this.sizes, this.roomy]) size.addEventListener("change", this.resized);
    this.addEventListener("sn-beside", this.resized);
    this.fitContents();
    this.follow();
    this.watchEnd(section);
    void this.store.meet().then(() => this.showStates());
    this.showStates();
    this.querySelector(".toc")?.addEventListener("click", (event) => {
      if ((event.target as Element).closest("a") && !this.stays) this.contents?.removeAttribute("open");
    });
  }

  disconnectedCallback(): void {
    for (const size of [this.sizes, this.roomy]) size.removeEventListener("change", this.resized);
    for (const observer of this.observers) observer.disconnect();
    this.observers = [];
  }

  private get contents(): HTMLDetailsElement | null {
    return this.querySelector<HTMLDetailsElement>(".toc details");
  }

  /** Wide: always there. Narrow, or beside a sandbox: a button. */
  private fitContents(): void {
    this.contents?.toggleAttribute("open", this.stays);
  }

  private get stays(): boolean {
    const beside = document.documentElement.dataset["beside"] !== undefined;
    return beside ? this.roomy.matches : this.sizes.matches;
  }

  /** The part whose beginning was last above a third of the window is being read. */
  private follow(): void {
    this.passages = [...this.querySelectorAll<HTMLElement>("article > section[id]")];
    const observer = new IntersectionObserver(() => this.look(), { rootMargin: "0px 0px -66% 0px", threshold: [0, 0.01] });
    for (const passage of this.passages) observer.observe(passage);
    this.observers.push(observer);
  }

  private look(): void {
    const third = window.innerHeight / 3;
    const now = this.passages.findLast((one) => one.getBoundingClientRect().top <= third);
    if (now === this.passage) return;
    this.passage = now;
    for (const link of this.querySelectorAll<HTMLAnchorElement>(".toc .moves a")) {
      if (now && link.hash === `#${now.id}`) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    this.keepPlace();
  }

  private keepPlace(): void {
    const here = this.querySelector('.toc [aria-current="page"]');
    const left = this.passages.slice(this.passage ? this.passages.indexOf(this.passage) : 0).reduce((sum, one) => sum + (one.textContent ?? "").length, 0);
    this.store.keepPlace({
      section: this.getAttribute("section") ?? "",
      number: here?.querySelector(".number")?.textContent ?? "",
      title: here?.querySelector("span:not(.number, .spoken)")?.textContent ?? document.title,
      path: location.pathname + (this.passage ? `#${this.passage.id}` : ""),
      part: this.passage?.querySelector("h2")?.textContent ?? "",
      minutes: Math.max(1, Math.round(left / pace)),
    });
    void this.store.markPlace(this.getAttribute("section") ?? "", this.passage?.id ?? "");
  }

  private watchEnd(section: string): void {
    const end = this.querySelector(".turn");
    if (!end || this.store.section(section).read) return;
    const observer = new IntersectionObserver((seen) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      observer.disconnect();
      void this.store.markRead(section).then(() => this.showStates());
      this.showStates();
    });
    observer.observe(end);
    this.observers.push(observer);
  }

  private async recalled(section: string, { question, right }: Recalled): Promise<void> {
    const sent = this.store.markRecall(section, question, right);
    this.showStates();
    await sent;
  }

  /** The glyph of this section, here and now. */
  private showStates(): void {
    const here = this.querySelector<HTMLElement>('.toc li:has(> [aria-current="page"])');
    const questions = this.querySelectorAll("sn-recall").length;
    const reading = this.store.section(this.getAttribute("section") ?? "");
    const state = glyphOf(reading, questions);
    if (here && here.dataset["state"] !== state) {
      here.dataset["state"] = state;
      here.querySelector("use")?.setAttribute("href", `#glyph-${state}`);
    }
    let count = this.querySelector<HTMLElement>(".recall-count");
    const heading = this.querySelector("#recall > h2");
    if (!heading || questions === 0) return;
    if (!count) heading.append(" ", (count = el("span", { class: "recall-count" })));
    count.textContent = `${Math.min(questions, reading.recalled.length)} of ${questions}`;
  }
}
defineInTurn("sn-reading", ReadingElement);
