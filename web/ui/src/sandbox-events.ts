import type { Result, Sandbox } from "./api.js";

/** One thing that the server tells about a sandbox. */
export interface Told {
  sandbox?: Partial<Sandbox>;
  /** Seconds that the sandbox still lives; the server's clock, not ours. */
  left?: number;
  result?: Result;
  notice?: string;
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
  on("notice", (data) => ({ notice: typeof data["text"] === "string" ? data["text"] : "" }));
  on("oom", (data) => ({ notice: killed(data) }));
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) gone();
  });
  return source;
}

function killed(data: Data): string {
  const command = typeof data["command"] === "string" && data["command"] !== "" ? data["command"] : "a process";
  const pid = typeof data["pid"] === "number" && data["pid"] > 0 ? `, PID ${data["pid"]}` : "";
  return `OOM kill: the kernel ended ${command}${pid}, for want of memory.`;
}
