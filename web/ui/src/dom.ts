// Small steps of building a page by hand. Text is always text, never markup.

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: { class?: string; text?: string; [attribute: string]: string | undefined } = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined) continue;
    if (name === "text") made.textContent = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export function button(text: string, act: () => void, kind = ""): HTMLButtonElement {
  const made = el("button", { type: "button", class: kind, text });
  made.addEventListener("click", act);
  return made;
}

/** Text in which `backticks` mark code, as checks write it. */
export function inline(text: string): Node[] {
  return text
    .split("`")
    .map((part, i) => (i % 2 === 1 ? el("code", { text: part }) : document.createTextNode(part)))
    .filter((node) => node.textContent !== "");
}

/** 12,345 bytes as a person reads them. */
export function bytes(count: number): string {
  return count < 1024 ? `${count} bytes` : `${Math.round(count / 1024).toLocaleString("en")} KiB`;
}

/** The drawing of a task's state, from the page's own set. */
export function glyph(state: string): SVGSVGElement {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  drawing.setAttribute("class", "glyph");
  use.setAttribute("href", `#glyph-${state}`);
  drawing.append(use);
  return drawing;
}
