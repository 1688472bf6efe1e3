// Two threads that each add one to x, in three instructions, and a reader who decides
// who goes next. With the mutex, two more: lock and unlock.

export type Thread = "A" | "B";
export type Instruction = "lock" | "load" | "add" | "store" | "unlock";

/** What x holds before anybody has added to it. */
export const start = 41;

const bareProgram: Instruction[] = ["load", "add", "store"];
const lockedProgram: Instruction[] = ["lock", ...bareProgram, "unlock"];

export interface ThreadState {
  /** Number of instructions that are done. */
  done: number;
  /** Undefined until it loaded. */
  register: number | undefined;
}

export interface Race {
  locked: boolean;
  x: number;
  threads: Record<Thread, ThreadState>;
  holder: Thread | undefined;
  order: { thread: Thread; instruction: Instruction }[];
}

export function begin(locked: boolean): Race {
  const fresh = (): ThreadState => ({ done: 0, register: undefined });
  return { locked, x: start, threads: { A: fresh(), B: fresh() }, holder: undefined, order: [] };
}

export function programOf(race: Race): Instruction[] {
  return race.locked ? lockedProgram : bareProgram;
}

/** The instruction that a thread would run next; undefined when it has ended. */
export function nextOf(race: Race, thread: Thread): Instruction | undefined {
  return programOf(race)[race.threads[thread].done];
}

/** It wants the mutex, and the other has it. */
export function waits(race: Race, thread: Thread): boolean {
  return nextOf(race, thread) === "lock" && race.holder !== undefined;
}

/** The race after one more instruction of a thread; the same when it can't run. */
export function run(race: Race, thread: Thread): Race {
  const instruction = nextOf(race, thread);
  if (instruction === undefined || waits(race, thread)) return race;
  const { done, register } = race.threads[thread];
  const state: ThreadState = { done: done + 1, register };
  let { x, holder } = race;
  if (instruction === "lock") holder = thread;
  if (instruction === "unlock") holder = undefined;
  if (instruction === "load") state.register = x;
  if (instruction === "add") state.register = (register ?? 0) + 1;
  if (instruction === "store") x = register ?? 0;
  return { ...race, x, holder, threads: { ...race.threads, [thread]: state }, order: [...race.order, { thread, instruction }] };
}

/** Both have added one, and x went up by less than two. */
export function lost(race: Race): boolean {
  return ended(race) && race.x !== start + 2;
}

export function ended(race: Race): boolean {
  return nextOf(race, "A") === undefined && nextOf(race, "B") === undefined;
}
