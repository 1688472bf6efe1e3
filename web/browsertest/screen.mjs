// What a person sees in the page's terminal, and does there.
import assert from "node:assert/strict";

const inView = "sn-terminal:not([hidden])";

const rows = (shown) =>
  [...document.querySelectorAll(`${shown} .xterm-rows > div`)].map((row) =>
    row.textContent.replaceAll("\u00a0", " ").trimEnd(),
  );

/** The lines of the screen in view. */
export const lines = (page) => page.evaluate(rows, inView);

/** Waits until the screen matches, and says what it showed if it never does. */
export async function sees(page, pattern, timeout = 10_000) {
  try {
    await page.waitForFunction(
      ([source, flags, shown]) =>
        new RegExp(source, flags).test(
          [...document.querySelectorAll(`${shown} .xterm-rows > div`)]
            .map((row) => row.textContent.replaceAll("\u00a0", " ").trimEnd())
            .join("\n"),
        ),
      [pattern.source, pattern.flags, inView],
      { timeout },
    );
  } catch {
    const over = await page.locator(".overlay:not([hidden])").allInnerTexts();
    assert.fail(`the screen never matched ${pattern}:\n${[...over, ...(await lines(page))].join("\n").trimEnd()}`);
  }
}

const prompt = /\n?[^\n]*\$ *\n*$/;

/** Waits for a shell that waits. */
export const prompted = (page) => sees(page, prompt);

/** Clicks into the terminal. */
export const enter = (page) => page.locator(`${inView} .xterm-helper-textarea`).focus();

/** Types a line and Enter. */
export async function type(page, line) {
  await enter(page);
  await page.keyboard.type(line);
  await page.keyboard.press("Enter");
}

/** Starts on a clean screen, so that what is seen next is new. */
export async function clear(page) {
  await type(page, "clear");
  await sees(page, /^[^\n]*\$ *\n*$/);
}

/** Types a line and waits for what it prints; then for the prompt. */
export async function run(page, line, printed) {
  await clear(page);
  await type(page, line);
  if (printed) await sees(page, printed);
  await sees(page, /\n[^\n]*\$ *\n*$/); // a prompt below the line that was typed
}

/** Pastes as the browser does: by an event with the text. */
export async function paste(page, text) {
  await page.evaluate(([pasted, shown]) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    document
      .querySelector(`${shown} .xterm-helper-textarea`)
      .dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, [text, inView]);
}
