/**
 * `<sn-time>`: how long the sandbox lives. Set `expires` (milliseconds since
 * 1970, 0 for none). `data-soon` is set for the last five minutes.
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
    const left = Math.ceil((this.until - Date.now()) / 60_000);
    const soon = this.until > 0 && left <= 5;
    this.toggleAttribute("data-soon", soon);
    let text = "";
    if (this.until > 0) text = left < 1 ? "Ending now" : soon ? `${left} min left.` : `${left} min left`;
    if (this.textContent !== text) this.textContent = text;
  }
}
customElements.define("sn-time", TimeElement);
