/**
 * `<sn-time>`: how long the sandbox lives. Set `expires` (milliseconds since
 * 1970, 0 for none). `data-soon` is set for the last five minutes. Event up:
 * `sn-soon` (whether), when that begins or ends.
 */
export class TimeElement extends HTMLElement {
  private until = 0;
  private timer = 0;

  disconnectedCallback(): void {
    clearInterval(this.timer);
  }

  set expires(at: number) {
    this.until = at;
    clearInterval(this.timer);
    if (at > 0) this.timer = window.setInterval(() => this.say(), 1000);
    this.say();
  }

  private say(): void {
    const seconds = Math.ceil((this.until - Date.now()) / 1000);
    const soon = this.until > 0 && seconds <= 300;
    let text = "";
    if (this.until > 0) text = seconds < 1 ? "Ending now" : seconds < 60 ? `${seconds} s left` : `${Math.ceil(seconds / 60)} min left`;
    if (this.textContent !== text) this.textContent = text;
    if (soon === this.hasAttribute("data-soon")) return;
    this.toggleAttribute("data-soon", soon);
    this.dispatchEvent(new CustomEvent<boolean>("sn-soon", { bubbles: true, detail: soon }));
  }
}
customElements.define("sn-time", TimeElement);
