import { WebglAddon } from "@xterm/addon-webgl";
import type { Terminal } from "@xterm/xterm";

// Where a processor draws instead of a graphics card, WebGL is the slower way; and
// a browser that lost a context once may lose the next as well.
let avoided = !hasCard();

function hasCard(): boolean {
  const context = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  const name = context?.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL;
  const by = name ? String(context?.getParameter(name)) : "";
  context?.getExtension("WEBGL_lose_context")?.loseContext(); // there are few
  return context !== null && !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(by);
}

/**
 * Draws a terminal by WebGL while it is seen, and by the DOM where that is not to
 * be had. A browser has few WebGL contexts, so a hidden terminal holds none.
 */
export class Renderer {
  private webgl: WebglAddon | null = null;

  constructor(private readonly term: Terminal) {}

  show(): void {
    if (this.webgl || avoided) return;
    const webgl = new WebglAddon();
    webgl.onContextLoss(() => {
      avoided = true;
      this.hide();
    });
    try {
      this.term.loadAddon(webgl);
      this.webgl = webgl;
    } catch {
      webgl.dispose(); // no WebGL here
    }
  }

  hide(): void {
    this.webgl?.dispose();
    this.webgl = null;
  }
}
