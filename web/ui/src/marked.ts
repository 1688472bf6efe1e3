import { el } from "./dom.js";

/** Text of the course in which `backticks` mark code and *stars* a term. */
export function marked(text: string): Node[] {
  const nodes: Node[] = [];
  for (const [i, part] of text.split("`").entries()) {
    if (i % 2 === 1) nodes.push(el("code", { text: part }));
    else nodes.push(...starred(part));
  }
  return nodes;
}

function starred(text: string): Node[] {
  return text
    .split(/\*([^*\s](?:[^*]*[^*\s])?)\*/)
    .map((part, i) => (i % 2 === 1 ? el("em", { text: part }) : document.createTextNode(part)))
    .filter((node) => node.textContent !== "");
}

/** The same text without its marks, for where only letters can stand. */
export function bare(text: string): string {
  return marked(text)
    .map((node) => node.textContent ?? "")
    .join("");
}
