import { call, reason } from "./api.js";
import { el, glyph } from "./dom.js";
import { WallDrawing } from "./wall-drawing.js";
import { type Kill, type Limits, type Process, type Sample, watch } from "./wall-stream.js";

const mib = 1024 * 1024;
const near = 0.9; // of the limit
const fresh = 10_000; // ms for which a kill is news
const refused = 15_000; // ms for which a refusal is shown
const scored = 3; // processes

type State = "off" | "before" | "near" | "killed" | "after";

/**
 * `<sn-wall low="…" high="…">` (bytes): the memory of a sandbox against its limit,
 * live, who was killed for want of it, who would be next, and a control that moves
 * the limit. Set `sandbox` (its id, "" for none). It listens only while it can be
 * seen. `data-state`: off, before, near (90 %), killed (news), after.
 */
export class WallElement extends HTMLElement {
  private box = "";
  private stop: (() => void) | null = null;
  private inView = false;
  private limit = 0;
  private asking = false;
  private wanted = 0; // chosen while another change was under way
  private said = 0; // until when a refusal is shown
  private drawing: WallDrawing | null = null;

  private readonly now = el("p", { class: "now" });
  private readonly spoken = el("p", { class: "spoken", role: "status" });
  private readonly choice = el("select", { id: "wall-limit", disabled: "" });
  private readonly kills = el("ol", { class: "kills", "aria-label": "Kills", tabindex: "0" });
  private readonly scores = el("ul", { class: "scores", "aria-labelledby": "wall-scores" });
  private readonly host = el("p", { class: "host" });

  private readonly sizes = new ResizeObserver(([seen]) => this.drawing?.resize(seen?.contentRect.width ?? 0));
  /** The list of tasks stays in sight too, and what is scrolled to must not hide below the two. */
  private readonly stacked = new ResizeObserver(() => {
    const text = this.closest<HTMLElement>(".text");
    const above = text?.querySelector<HTMLElement>(".glance")?.offsetHeight ?? 0;
    text?.style.setProperty("--wall-top", `${above}px`);
    text?.style.setProperty("--wall-foot", `${above + this.offsetHeight + 12}px`);
  });
  private readonly views = new IntersectionObserver((all) => {
    this.inView = all.at(-1)?.isIntersecting ?? false;
    this.look();
  });
  private readonly turned = (): void => this.look();

  connectedCallback(): void {
    const drawing = new WallDrawing(this.low, this.high);
    this.drawing = drawing;
    for (const size of choices(this.low, this.high)) this.choice.append(option(size));
    this.choice.addEventListener("change", () => void this.move(Number(this.choice.value)));
    const picture = el("div", { class: "picture" });
    picture.append(drawing.element);
    this.replaceChildren(
      el("div", { class: "head" }, this.now, el("label", { for: "wall-limit", text: "Limit" }), this.choice),
      this.spoken,
      el(
        "div",
        { class: "both" },
        picture,
        el(
          "div",
          {},
          el("p", { class: "caption", id: "wall-scores", text: "OOM score: thousandths of the limit + oom_score_adj" }),
          this.scores,
        ),
      ),
      this.kills,
      this.host,
    );
    this.blank();
    this.sizes.observe(picture);
    this.stacked.observe(this);
    const glance = this.closest(".text")?.querySelector(".glance");
    if (glance) this.stacked.observe(glance);
    this.views.observe(this);
    document.addEventListener("visibilitychange", this.turned);
  }

  disconnectedCallback(): void {
    this.sizes.disconnect();
    this.stacked.disconnect();
    this.views.disconnect();
    document.removeEventListener("visibilitychange", this.turned);
    this.stop?.();
    this.stop = null;
  }

  private get low(): number {
    return Number(this.getAttribute("low"));
  }

  private get high(): number {
    return Number(this.getAttribute("high"));
  }

  set sandbox(id: string) {
    if (id === this.box) return;
    this.box = id;
    this.stop?.();
    this.stop = null;
    this.blank();
    this.look();
  }

  /** Listens while there is something to see and somebody who sees it. */
  private look(): void {
    const on = this.box !== "" && this.inView && !document.hidden;
    if (on === (this.stop !== null)) return;
    this.stop?.();
    this.stop = on ? watch(this.box, (sample) => this.sampled(sample), (limits) => this.limited(limits)) : null;
  }

  private blank(): void {
    this.dataset["state"] = "off";
    this.limit = 0;
    this.choice.toggleAttribute("disabled", this.box === "");
    this.now.textContent = "The wall is drawn while your sandbox is live.";
    this.drawing?.clear();
    this.kills.replaceChildren(el("li", { text: "No kill so far." }));
    this.scores.replaceChildren();
    this.host.textContent = "";
  }

  private sampled(sample: Sample): void {
    const { memory } = sample;
    const used = Math.max(0, memory.used - memory.cache);
    const at = Date.parse(sample.at);
    this.show(memory.limit);
    this.drawing?.take(at, sample.trail, sample.kills);
    this.turn(used, sample.kills.at(-1), at);
    this.weigh(sample.processes, memory.limit);
    this.kills.replaceChildren(
      ...(sample.kills.length === 0 ? [el("li", { text: "No kill so far." })] : [...sample.kills].reverse().map(fact)),
    );
    if (Date.now() < this.said) return;
    const file = sample.cgroup === 2 ? "memory.max" : "memory.limit_in_bytes";
    this.host.replaceChildren(
      `Host: ${size(memory.host_free)} free. Your wall, not the machine's. It is `,
      el("code", { text: file }),
      ` of your cgroup (version ${sample.cgroup}).`,
    );
  }

  /** Says where the memory stands. A screen reader hears a change of state, not each sample. */
  private turn(used: number, last: Kill | undefined, at: number): void {
    const left = this.limit - used;
    let state: State = last ? "after" : "before";
    let text = `${size(used)} of ${size(this.limit)} in use`;
    if (used >= near * this.limit) {
      state = "near";
      text = `${size(Math.max(0, left))} to the wall`;
    }
    if (last && at - Date.parse(last.at) < fresh) {
      state = "killed";
      text = `The kernel ended ${last.command || "a process"}. Now ${text}`;
    }
    this.now.textContent = `${text}.`;
    this.drawing?.element.setAttribute("aria-label", `Memory in the last half minute: ${text}.`);
    const heard = `${state} ${state === "killed" ? (last?.count ?? 0) : ""}`;
    if (this.spoken.dataset["of"] === heard) return;
    this.dataset["state"] = state;
    this.spoken.dataset["of"] = heard;
    if (state === "near") this.spoken.textContent = `${text}.`;
    if (state === "killed" && last) this.spoken.textContent = fact(last).textContent;
  }

  private weigh(processes: Process[], limit: number): void {
    const own = processes
      .filter((process) => process.uid !== 0)
      .map((process) => {
        const share = limit > 0 ? (process.rss * 1000) / limit : 0;
        return { process, share, score: Math.max(0, Math.round(share + process.oom_score_adj)) };
      })
      .sort((a, b) => b.score - a.score || a.process.pid - b.process.pid);
    const most = Math.max(1000, own[0]?.score ?? 0);
    this.scores.replaceChildren(
      ...own.slice(0, scored).map(({ process, share, score }) => {
        const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("i", { class: "held" }), el("i", { class: "added" }));
        const held = Math.min(share, score);
        bar.style.setProperty("--held", `${(100 * held) / most}%`);
        bar.style.setProperty("--added", `${(100 * (score - held)) / most}%`);
        return el(
          "li",
          {},
          el("span", { class: "name", text: `${process.command} ${process.pid}` }),
          bar,
          el("span", { class: "score", text: String(score) }),
        );
      }),
    );
  }

  // The limit.

  private limited(limits: Limits): void {
    this.show(limits.memory);
  }

  private show(limit: number): void {
    if (limit <= 0 || (this.asking && limit !== this.wanted)) return;
    const moved = this.limit !== 0 && this.limit !== limit;
    this.limit = limit;
    if (this.drawing) {
      this.drawing.memory = limit;
      this.drawing.label = `${size(limit)}, the wall`;
      this.drawing.range = [`down to ${size(this.low)}`, `up to ${size(this.high)}`];
    }
    if (![...this.choice.options].some((one) => Number(one.value) === limit)) this.choice.append(option(limit));
    if (!this.asking) this.choice.value = String(limit);
    if (moved) this.changed();
  }

  /** Where nothing moves, a frame shows what is new. */
  private changed(): void {
    this.toggleAttribute("data-changed", true);
    window.setTimeout(() => this.toggleAttribute("data-changed", false), 2000);
  }

  private async move(limit: number): Promise<void> {
    this.wanted = limit;
    if (this.asking) return;
    this.asking = true;
    let real = this.limit;
    try {
      for (let asked = 0; asked !== this.wanted; ) {
        asked = this.wanted;
        real = (await call<Limits>("PATCH", `/sandboxes/${this.box}/limits`, { memory: asked })).memory;
        this.said = 0;
      }
      this.spoken.textContent = `The limit is ${size(real)} now.`;
    } catch (error) {
      this.said = Date.now() + refused;
      this.host.textContent = reason(error);
      this.spoken.textContent = reason(error);
    }
    this.asking = false;
    this.choice.value = String(this.limit);
    this.show(real);
  }
}
customElements.define("sn-wall", WallElement);

/** At most nine limits from low to high, both among them. */
function choices(low: number, high: number): number[] {
  let step = 16 * mib;
  while ((high - low) / step > 8) step *= 2;
  const all = [];
  for (let limit = low; limit < high; limit += step) all.push(limit);
  return [...all, high];
}

function option(limit: number): HTMLOptionElement {
  return el("option", { value: String(limit), text: size(limit) });
}

function fact(kill: Kill): HTMLLIElement {
  const moment = new Date(kill.at);
  const time = el("time", { datetime: kill.at, text: moment.toLocaleTimeString("en-GB") });
  const who = kill.pid > 0 ? `${kill.command}, PID ${kill.pid}, SIGKILL. ` : "a process that is not known, SIGKILL. ";
  const weight = kill.pid > 0 ? `RSS about ${size(kill.rss)}, score about ${kill.score}.` : "";
  return el("li", { class: "kill" }, glyph("not-yet"), el("span", {}, `Kill ${kill.count}, `, time, ` ${who}${weight}`));
}

/** Memory as a person reads it; in `/proc`, kB means KiB. */
function size(bytes: number): string {
  if (bytes < mib) return `${Math.round(bytes / 1024)}\u00a0KiB`;
  if (bytes < 4096 * mib) return `${Math.round(bytes / mib)}\u00a0MiB`;
  return `${(bytes / mib / 1024).toFixed(1)}\u00a0GiB`;
}
