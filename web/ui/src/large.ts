/**
 * Lets an element fill the screen: the whole one where the browser allows it, with
 * the keys that a browser keeps for itself where it lends them, else its window.
 */
export class Large {
  private readonly changed = (): void => {
    if (!document.fullscreenElement) this.leave();
  };

  constructor(
    private readonly element: HTMLElement,
    private readonly told: (large: boolean) => void,
  ) {}

  get on(): boolean {
    return this.element.hasAttribute("data-large");
  }

  async enter(): Promise<void> {
    this.element.toggleAttribute("data-large", true);
    this.told(true);
    document.addEventListener("fullscreenchange", this.changed);
    try {
      await this.element.requestFullscreen();
      // With these lent, Esc, Ctrl+W, Ctrl+T and Ctrl+N reach the shell; Esc held down leaves.
      await keyboard()?.lock(["Escape", "KeyW", "KeyT", "KeyN"]);
    } catch {
      // The window is what we get.
    }
  }

  leave(): void {
    if (!this.on) return;
    document.removeEventListener("fullscreenchange", this.changed);
    this.element.toggleAttribute("data-large", false);
    this.told(false);
    keyboard()?.unlock();
    if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
  }
}

/** https://wicg.github.io/keyboard-lock/, where there is one. */
interface Keyboard {
  lock(codes: string[]): Promise<void>;
  unlock(): void;
}

function keyboard(): Keyboard | undefined {
  return (navigator as Navigator & { keyboard?: Keyboard }).keyboard;
}
