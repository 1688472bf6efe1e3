import { call } from "./api.js";
import { due, nextStep, today } from "./gauntlet-spacing.js";
import { remember, remembered } from "./remember.js";

/** How somebody marked an answer of his, the newest of a question. */
export interface Mark {
  question: string;
  points: number[]; // of the question's, from 0
  marked_at: string; // RFC 3339, with the offset of where the reader is
  step: number; // good answers in a row
  due: string; // the day it comes again; "" for not before the interview
}

interface Standing {
  interview: string; // a day, "" for none
  marks: Mark[];
  comes_back: string[]; // questions of a task that was passed with the solution shown
}

/** What the server is told: only what changed, and `due` only when the reader chose it. */
interface Change {
  interview?: string;
  marks?: (Omit<Mark, "step" | "due"> & { due?: string })[];
}

interface Kept extends Standing {
  unsent: Change[];
}

/**
 * A learner's standing in the gauntlet: kept in this browser, and by the server that knows
 * him. One that is `alone` asks no server.
 */
export class GauntletStore {
  private kept: Kept = { interview: "", marks: [], comes_back: [], unsent: [] };
  private readonly key: string;
  private readonly path: string;
  private sending = Promise.resolve(true);

  constructor(
    module: string,
    private readonly alone = false,
  ) {
    this.key = `gauntlet:${module}`;
    this.path = `/modules/${module}/gauntlet`;
    try {
      this.kept = { ...this.kept, ...(JSON.parse(remembered(this.key) ?? "{}") as Partial<Kept>) };
    } catch {
      // What was kept can't be read; it begins anew.
    }
  }

  get interview(): string {
    return this.kept.interview;
  }

  get marks(): readonly Mark[] {
    return this.kept.marks;
  }

  mark(question: string): Mark | undefined {
    return this.kept.marks.find((one) => one.question === question);
  }

  /** Its day has come, or a task brought it back. One that was never marked is new, not due. */
  isDue(question: string, day = today()): boolean {
    const mark = this.mark(question);
    return this.kept.comes_back.includes(question) || (mark !== undefined && mark.due !== "" && mark.due <= day);
  }

  /** Tells the server what it was not told, and takes what it has. */
  async meet(): Promise<void> {
    if (this.alone || !(await this.send())) return;
    try {
      this.take(await call<Standing>("GET", this.path));
    } catch {
      // The browser's own is enough to practise with.
    }
  }

  /** Marks an answer given now. */
  save(question: string, said: number[], points: number, now = new Date()): Mark {
    const step = nextStep(this.mark(question)?.step ?? 0, said.length, points);
    const mark: Mark = { question, points: said, marked_at: localTime(now), step, due: due(today(now), step, "", this.interview) };
    this.kept.marks = [...this.kept.marks.filter((one) => one.question !== question), mark];
    this.kept.comes_back = this.kept.comes_back.filter((one) => one !== question);
    this.tell({ marks: [{ question, points: said, marked_at: mark.marked_at }] });
    return mark;
  }

  /** The reader chose the day himself. */
  postpone(question: string, day: string): void {
    const mark = this.mark(question);
    if (!mark) return;
    mark.due = due(dayOf(mark), mark.step, day, this.interview);
    this.tell({ marks: [{ question, points: mark.points, marked_at: mark.marked_at, due: day }] });
  }

  setInterview(day: string): void {
    this.kept.interview = day;
    for (const mark of this.kept.marks) mark.due = due(dayOf(mark), mark.step, "", day);
    this.tell({ interview: day });
  }

  private tell(change: Change): void {
    this.kept.unsent.push(change);
    this.keep();
    if (!this.alone) void this.send();
  }

  /** Sends one change after the other; false when the server is away. */
  private send(): Promise<boolean> {
    this.sending = this.sending.then(() => this.sendAll());
    return this.sending;
  }

  private async sendAll(): Promise<boolean> {
    for (;;) {
      const next = this.kept.unsent[0];
      if (!next) return true;
      try {
        const now = await call<Standing>("PUT", this.path, next);
        this.kept.unsent = this.kept.unsent.filter((one) => one !== next);
        if (this.kept.unsent.length === 0) this.take(now);
      } catch (error) {
        const status = (error as { status?: number }).status ?? 0;
        const later = status === 0 || status === 408 || status === 429 || status >= 500;
        if (later) return false;
        this.kept.unsent = this.kept.unsent.filter((one) => one !== next); // it is refused for good
      }
      this.keep();
    }
  }

  private take({ interview, marks, comes_back }: Standing): void {
    this.kept = { ...this.kept, interview, marks, comes_back: comes_back ?? [] };
    this.keep();
  }

  private keep(): void {
    remember(this.key, JSON.stringify(this.kept));
  }
}

/** The day of a mark, where it was made. */
function dayOf(mark: Mark): string {
  return mark.marked_at.endsWith("Z") ? today(new Date(mark.marked_at)) : mark.marked_at.slice(0, 10);
}

/** 2026-11-24T20:10:00+02:00 */
export function localTime(now: Date): string {
  const offset = -now.getTimezoneOffset();
  const two = (count: number): string => String(Math.trunc(Math.abs(count))).padStart(2, "0");
  const local = new Date(now.getTime() + offset * 60_000).toISOString().slice(0, 23);
  return `${local}${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
}
