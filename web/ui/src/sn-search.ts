import { button, el } from "./dom.js";
import { remember, remembered } from "./remember.js";
import { pressed } from "./single-keys.js";

/** A part of the course, as the server lists it. */
interface Entry {
  title: string;
  path: string;
  section: string;
  text: string;
}

const most = 12; // results that are shown

/**
 * `<sn-search index terms>`: search over the course, in the page. `/` goes to it, Up and
 * Down move through what was found, Esc closes. The index is fetched at the first use
 * and kept, for when the server is away.
 */
class SearchElement extends HTMLElement {
  private readonly field = el("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false", placeholder: "Search  /", "aria-controls": "found" });
  private readonly found = el("div", { class: "found", id: "found" });
  private readonly says = el("p", { class: "says", role: "status" });
  private readonly results = el("ol", {});
  private readonly opener = button("Search", () => this.go(), "quiet opener");
  private entries: Entry[] | undefined;
  private returnTo: HTMLElement | null = null;

  private readonly keys = (event: KeyboardEvent): void => {
    if (!pressed(event, "/")) return;
    event.preventDefault();
    this.go();
  };
  private readonly elsewhere = (event: Event): void => {
    if (!this.contains(event.target as Node)) this.close(false);
  };

  connectedCallback(): void {
    this.found.hidden = true;
    this.found.replaceChildren(this.says, this.results);
    const form = el("form", { role: "search" }, el("label", { class: "spoken", for: "search", text: "Search the course" }), this.field);
    this.replaceChildren(this.opener, form, this.found);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.links[0]?.click();
    });
    this.field.addEventListener("input", () => void this.search());
    this.field.addEventListener("focus", () => void this.load());
    this.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !this.contains(event.relatedTarget as Node)) this.close(false);
    });
    document.addEventListener("keydown", this.keys);
    document.addEventListener("pointerdown", this.elsewhere);
  }

  disconnectedCallback(): void {
    document.removeEventListener("keydown", this.keys);
    document.removeEventListener("pointerdown", this.elsewhere);
  }

  private go(): void {
    if (!this.contains(document.activeElement)) this.returnTo = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    this.dataset["open"] = "";
    this.field.focus();
    this.field.select();
  }

  private close(returning: boolean): void {
    this.found.hidden = true;
    delete this.dataset["open"];
    if (!returning) return;
    if (this.returnTo && this.returnTo !== document.body) this.returnTo.focus();
    else this.field.blur();
  }

  private async load(): Promise<Entry[]> {
    if (this.entries) return this.entries;
    const path = this.getAttribute("index") ?? "";
    const key = `search:${path}`;
    try {
      const answer = await fetch(path, { signal: AbortSignal.timeout(10_000) });
      if (!answer.ok) throw new Error(answer.statusText);
      const text = await answer.text();
      this.entries = JSON.parse(text) as Entry[];
      remember(key, text);
    } catch {
      const before = remembered(key);
      if (before === null) return [];
      this.entries = JSON.parse(before) as Entry[];
    }
    return this.entries;
  }

  private async search(): Promise<void> {
    const asked = this.field.value.trim();
    const entries = await this.load();
    if (asked !== this.field.value.trim()) return; // typed on meanwhile
    this.found.hidden = asked === "";
    if (asked === "") return;
    if (!this.entries) {
      this.says.textContent = "The server doesn't answer, and nothing was kept to search in.";
      this.results.replaceChildren();
      return;
    }
    const wanted = asked.toLowerCase().split(/\s+/);
    const hits = entries
      .map((entry) => ({ entry, weight: weigh(entry, wanted) }))
      .filter(({ weight }) => weight > 0)
      .sort((a, b) => b.weight - a.weight);
    this.results.replaceChildren(...hits.slice(0, most).map(({ entry }) => result(entry, wanted)));
    if (hits.length > 0) this.says.textContent = hits.length === 1 ? "1 place" : `${hits.length} places${hits.length > most ? `, the first ${most}` : ""}`;
    else this.says.replaceChildren(`No section says “${asked}”. `, el("a", { href: this.getAttribute("terms") ?? "/", text: "Terms" }));
  }

  private get links(): HTMLAnchorElement[] {
    return [...this.found.querySelectorAll<HTMLAnchorElement>("a")];
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      event.preventDefault();
      this.close(true);
      return;
    }
    const links = this.links;
    const now = links.findIndex((link) => link === document.activeElement);
    if (event.key === "ArrowDown") links[Math.min(links.length - 1, now + 1)]?.focus();
    else if (event.key === "ArrowUp") (now <= 0 ? this.field : links[now - 1])?.focus();
    else if (event.key === "Home" && now >= 0) links[0]?.focus();
    else if (event.key === "End" && now >= 0) links.at(-1)?.focus();
    else return;
    event.preventDefault();
  }
}

/** 0 when a word is missing; a word of a title weighs more. */
function weigh(entry: Entry, wanted: string[]): number {
  const [title, text] = [entry.title.toLowerCase(), `${entry.section} ${entry.text}`.toLowerCase()];
  let weight = 0;
  for (const word of wanted) {
    if (title.includes(word)) weight += title.startsWith(word) ? 12 : 8;
    else if (text.includes(word)) weight += 1;
    else return 0;
  }
  return weight;
}

function result(entry: Entry, wanted: string[]): HTMLElement {
  const at = Math.max(0, entry.text.toLowerCase().indexOf(wanted[0] ?? ""));
  const from = at < 40 ? 0 : entry.text.lastIndexOf(" ", at - 30) + 1;
  const rest = entry.text.slice(from);
  const part = rest.length <= 120 ? rest : `${rest.slice(0, rest.lastIndexOf(" ", 120))} …`;
  const excerpt = (from > 0 ? "… " : "") + part;
  const link = el("a", { href: entry.path }, el("b", {}, ...lit(entry.title, wanted)), el("span", { class: "where", text: entry.section }), el("span", { class: "excerpt" }, ...lit(excerpt, wanted)));
  return el("li", {}, link);
}

/** The words that were asked for, marked. */
function lit(text: string, wanted: string[]): Node[] {
  const lower = text.toLowerCase();
  const nodes: Node[] = [];
  let done = 0;
  while (done < text.length) {
    const next = wanted.map((word) => ({ word, at: lower.indexOf(word, done) })).filter(({ at }) => at >= 0).sort((a, b) => a.at - b.at)[0];
    if (!next) break;
    nodes.push(document.createTextNode(text.slice(done, next.at)), el("mark", { text: text.slice(next.at, next.at + next.word.length) }));
    done = next.at + next.word.length;
  }
  nodes.push(document.createTextNode(text.slice(done)));
  return nodes.filter((node) => node.textContent !== "");
}
customElements.define("sn-search", SearchElement);
