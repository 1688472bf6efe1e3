import { el } from "./dom.js";

/**
 * `<sn-content version="…">`: there only while an author changes the labs that are
 * served. Reads the page again when its content has another version; sandbox and
 * terminals stay, since they belong to the server. What is broken, and so not shown, is
 * listed with file, line, reason and cure.
 */
export class ContentElement extends HTMLElement {
  private source: EventSource | undefined;

  connectedCallback(): void {
    this.source = new EventSource("/api/v1/content/events");
    this.source.addEventListener("reload", (event: MessageEvent<string>) => this.told(JSON.parse(event.data) as Content));
  }

  disconnectedCallback(): void {
    this.source?.close();
  }

  private told(content: Content): void {
    if (content.version !== this.getAttribute("version")) {
      this.source?.close();
      location.reload();
      return;
    }
    this.replaceChildren();
    if (content.problems.length === 0) return;
    const list = el("ul");
    for (const p of content.problems) {
      const place = p.line ? `${p.file}:${p.line}` : p.file;
      list.append(el("li", {}, el("code", { text: place }), ` ${p.reason}`, p.cure ? `; ${p.cure}` : ""));
    }
    this.append(
      el(
        "section",
        { role: "status", "aria-label": "What is broken in the labs" },
        el("p", { text: "You see what was sound last. To mend:" }),
        list,
      ),
    );
  }
}

interface Content {
  version: string;
  problems: { file: string; line?: number; reason: string; cure?: string }[];
}
customElements.define("sn-content", ContentElement);
