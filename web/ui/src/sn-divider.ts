import { remember, remembered } from "./remember.js";

const key = "divider";
const least = 25;
const most = 75;
const usual = 43; // 80 columns of terminal in a window of 1440 px

/**
 * `<sn-divider>`: the bar between text and terminal. Drag it, or focus it and
 * use the arrows, Home and End. Its place is remembered.
 *
 * Sets `--split` (a percentage) on the `.bench` around it, whose grid uses it.
 */
class Divider extends HTMLElement {
  private readonly down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    event.preventDefault();
    this.setPointerCapture(event.pointerId);
    this.dataset["dragging"] = "";
  };
  private readonly move = (event: PointerEvent): void => {
    const frame = this.bench?.getBoundingClientRect();
    if (!this.hasPointerCapture(event.pointerId) || !frame) return;
    this.set(((event.clientX - frame.left) / frame.width) * 100);
  };
  private readonly up = (): void => {
    delete this.dataset["dragging"];
    this.keep();
  };
  private readonly press = (event: KeyboardEvent): void => {
    const to = this.target(event.key);
    if (to === undefined) return;
    event.preventDefault();
    this.set(to);
    this.keep();
  };

  connectedCallback(): void {
    this.tabIndex = 0;
    this.setAttribute("role", "separator");
    this.setAttribute("aria-orientation", "vertical");
    this.setAttribute("aria-label", "Width of the text");
    this.setAttribute("aria-valuemin", String(least));
    this.setAttribute("aria-valuemax", String(most));
    this.addEventListener("pointerdown", this.down);
    this.addEventListener("pointermove", this.move);
    this.addEventListener("lostpointercapture", this.up);
    this.addEventListener("keydown", this.press);
    const before = Number.parseFloat(remembered(key) ?? "");
    this.set(Number.isNaN(before) ? usual : before);
  }

  disconnectedCallback(): void {
    this.removeEventListener("pointerdown", this.down);
    this.removeEventListener("pointermove", this.move);
    this.removeEventListener("lostpointercapture", this.up);
    this.removeEventListener("keydown", this.press);
  }

  private get bench(): HTMLElement | null {
    return this.closest<HTMLElement>(".bench");
  }

  private target(pressed: string): number | undefined {
    const now = Number(this.getAttribute("aria-valuenow"));
    switch (pressed) {
      case "ArrowLeft":
        return now - 2;
      case "ArrowRight":
        return now + 2;
      case "Home":
        return least;
      case "End":
        return most;
      default:
        return undefined;
    }
  }

  private keep(): void {
    remember(key, this.getAttribute("aria-valuenow") ?? "");
  }

  private set(percent: number): void {
    const split = Math.min(most, Math.max(least, percent));
    this.setAttribute("aria-valuenow", String(Math.round(split)));
    this.bench?.style.setProperty("--split", `${split}%`);
  }
}
customElements.define("sn-divider", Divider);
