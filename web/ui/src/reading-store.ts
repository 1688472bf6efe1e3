import { call } from "./api.js";
import { remember, remembered } from "./remember.js";

/** What is known of the reading of one section. */
export interface SectionReading {
  id: string;
  read: boolean;
  recalled: string[];
}

/** Where somebody was reading last. */
export interface Place {
  section: string;
  number: string;
  title: string;
  path: string; // with the anchor
  part: string; // the heading, "" at the top
  minutes: number; // that are left, about
}

interface Kept {
  read: string[];
  recalled: Record<string, string[]>;
  unsent: { section: string; question?: string; right?: boolean }[];
  place?: Place;
}

interface Served {
  sections: { id: string; read: boolean; recalled: string[] | null }[];
}

/**
 * What a learner has read and recalled of a module: told to the server, and kept in this
 * browser, which tells it again when the server was away.
 */
export class ReadingStore {
  private readonly key: string;
  private readonly path: string;
  private sending: Promise<void> = Promise.resolve();

  constructor(module: string) {
    this.key = `reading:${module}`;
    this.path = `/modules/${module}`;
  }

  section(id: string): SectionReading {
    const { read, recalled } = this.kept();
    return { id, read: read.includes(id), recalled: recalled[id] ?? [] };
  }

  place(): Place | undefined {
    return this.kept().place;
  }

  keepPlace(place: Place): void {
    this.change((kept) => (kept.place = place));
  }

  /** A part of a section is being read; "" for its top. Lost when the server is away. */
  async markPlace(section: string, heading: string): Promise<void> {
    try {
      await call("PUT", `${this.path}/sections/${section}/read`, { heading });
    } catch {
      // The browser keeps the place as well.
    }
  }

  /** The end of a section was seen. */
  async markRead(section: string): Promise<void> {
    this.change((kept) => {
      if (!kept.read.includes(section)) kept.read.push(section);
      if (!kept.unsent.some((one) => one.section === section && one.question === undefined)) kept.unsent.push({ section });
    });
    await this.send();
  }

  /** A recall question was answered. */
  async markRecall(section: string, question: string, right: boolean): Promise<void> {
    this.change((kept) => {
      const known = (kept.recalled[section] ??= []);
      if (right && !known.includes(question)) known.push(question);
      kept.unsent.push({ section, question, right });
    });
    await this.send();
  }

  /** Adds what the server knows, after telling it what it does not. */
  async meet(): Promise<void> {
    await this.send();
    try {
      const { sections } = await call<Served>("GET", `${this.path}/reading`);
      this.change((kept) => {
        for (const { id, read, recalled } of sections) {
          if (read && !kept.read.includes(id)) kept.read.push(id);
          kept.recalled[id] = [...new Set([...(kept.recalled[id] ?? []), ...(recalled ?? [])])];
        }
      });
    } catch {
      // What this browser keeps is enough to go on.
    }
  }

  /** One at a time: what was sent is taken off before the next is read. */
  private send(): Promise<void> {
    this.sending = this.sending.then(() => this.sendAll());
    return this.sending;
  }

  private async sendAll(): Promise<void> {
    for (;;) {
      const next = this.kept().unsent[0];
      if (!next) return;
      const base = `${this.path}/sections/${next.section}`;
      try {
        if (next.question === undefined) await call("PUT", `${base}/read`, {});
        else await call("POST", `${base}/recall`, { question: next.question, right: next.right });
      } catch (error) {
        if (!refusedForGood(error)) return; // later
      }
      this.change((kept) => kept.unsent.shift());
    }
  }

  private kept(): Kept {
    const fresh: Kept = { read: [], recalled: {}, unsent: [] };
    try {
      return { ...fresh, ...(JSON.parse(remembered(this.key) ?? "{}") as Partial<Kept>) };
    } catch {
      return fresh;
    }
  }

  private change(act: (kept: Kept) => void): void {
    const kept = this.kept();
    act(kept);
    remember(this.key, JSON.stringify(kept));
  }
}

/** A question or section that is no more will be none later. */
function refusedForGood(error: unknown): boolean {
  const status = (error as { status?: number }).status ?? 0;
  return status >= 400 && status < 500 && status !== 429 && status !== 408;
}

/** The glyph of a section that is open: begun, or all its questions recalled. */
export function glyphOf({ recalled }: SectionReading, questions: number): "predicted" | "passed" {
  return questions > 0 && recalled.length >= questions ? "passed" : "predicted";
}
