import type { Result, Sandbox } from "./api.js";

/** One thing that the server tells about a sandbox. */
export interface Told {
  sandbox?: Partial<Sandbox>;
  /** Seconds that the sandbox still lives; the server's clock, not ours. */
  left?: number;
  result?: Result;
  notice?: Notice;
}

/** Words for the learner; a code that ends in "-full" names what is used up. */
export interface Notice {
  code: string;
  text: string;
}

type Data = Record<string, unknown>;

/**
 * Opens the stream of a sandbox's events. The browser itself comes back after a
 * cut; `gone` is called when the server refuses, or the sandbox ended.
 */
export function listen(id: string, tell: (told: Told) => void, gone: () => void): EventSource {
  const source = new EventSource(`/api/v1/sandboxes/${id}/events`);
  const on = (name: string, make: (data: Data) => Told): void => {
    source.addEventListener(name, (event: MessageEvent<string>) => tell(make(JSON.parse(event.data) as Data)));
  };
  on("state", (data) => ({ sandbox: data as Partial<Sandbox> }));
  on("time", (data) => (typeof data["seconds_left"] === "number" ? { left: data["seconds_left"] } : {}));
  on("result", (data) => ({ result: data as unknown as Result }));
  on("notice", (data) => ({ notice: { code: text(data["code"]), text: text(data["text"]) } }));
  on("oom", (data) => ({ notice: { code: "oom", text: killed(data) } }));
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) gone();
  });
  return source;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function killed(data: Data): string {
  const command = text(data["command"]) || "a process";
  const pid = typeof data["pid"] === "number" && data["pid"] > 0 ? `, PID ${data["pid"]}` : "";
  const held = typeof data["rss"] === "number" && data["rss"] > 0 ? `; it held about ${Math.round(data["rss"] / 1048576)} MiB` : "";
  return `OOM kill: the kernel ended ${command}${pid}, for want of memory${held}.`;
}
