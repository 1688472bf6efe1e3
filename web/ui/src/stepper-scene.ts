// What a stepper's frame and its drawings agree on.

export interface Ask {
  question: string;
  options: string[];
  answer: string;
  reply?: string;
}

/** A step as its author wrote it. `draw` names the picture of it; see {@link before}. */
export interface Step {
  title: string;
  caption: string;
  draw?: string;
  ask?: Ask;
  address?: string;
}

/** What a first step that asks draws until it is answered: how things stood before it. */
export const before = "before";

export interface StepperData {
  id: string;
  kind: string;
  title: string;
  steps: Step[];
}

/**
 * The drawing of a stepper. It draws the same height at every step, so that nothing
 * moves under the pointer.
 */
export interface Scene {
  /** What the reader changes, above the drawing; made once. */
  readonly controls?: HTMLElement;
  paint(step: Step, width: number): SVGSVGElement;
  /** What is below the drawing and follows from what the reader did; made once. */
  readonly result?: HTMLElement;
}

/** Makes a scene. It calls `redraw` after the reader changed something. */
export type MakeScene = (data: StepperData, redraw: () => void) => Scene;
