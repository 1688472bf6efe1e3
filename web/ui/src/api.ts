// The server's JSON, as the pages need it.

export interface Result {
  task: string;
  status: "pass" | "fail" | "broken";
  attempted: boolean;
  message: string;
  expected?: string;
  observed?: string;
  evidence?: string;
  hint?: string;
  reference?: string;
}

export type State = "starting" | "live" | "lost" | "ended";

export interface Sandbox {
  id: string;
  state: State;
  terminal: string;
}

/** An answer that is not a success: an RFC 9457 problem, or none at all (status 0). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    detail: string,
    /** Seconds after which to ask again, 0 when not said. */
    readonly retryAfter: number,
    /** In the queue for a sandbox, from 1; 0 for none. */
    readonly place = 0,
  ) {
    super(detail);
  }
}

const base = "/api/v1";
/** A network may swallow a request, so none waits for ever. A claim may take 30 s. */
const glance = 10_000;
const patience = 45_000;

export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await ask(method, base + path, body);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

/** What stands at an address of this server, as text. */
export async function read(address: string): Promise<string> {
  return (await ask("GET", address)).text();
}

async function ask(method: string, address: string, body?: unknown): Promise<Response> {
  let answer: Response;
  try {
    const init: RequestInit = {
      method,
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(method === "GET" ? glance : patience),
    };
    if (body !== undefined) {
      init.headers = { Accept: "application/json", "Content-Type": "application/json" };
      init.body = JSON.stringify(body);
    }
    answer = await fetch(address, init);
  } catch {
    throw new Refused(0, "The server doesn't answer. Text works; the terminal returns by itself.", 0);
  }
  if (!answer.ok) {
    const told = await problem(answer);
    const retry = Number(answer.headers.get("Retry-After") ?? "0");
    throw new Refused(answer.status, told.detail ?? told.title ?? answer.statusText, retry, told.place);
  }
  return answer;
}

/** The members of a problem document that are used here. */
interface Problem {
  title?: string;
  detail?: string;
  place?: number;
}

async function problem(answer: Response): Promise<Problem> {
  try {
    return (await answer.json()) as Problem;
  } catch {
    return {};
  }
}

/** What a person reads when a call did not work. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
