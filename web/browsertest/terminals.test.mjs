// What stands around the terminals: tabs, find, transcript, large, marks, notices.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { accessible, desk, lab, launch, shot } from "./browser.mjs";
import { clear, enter, lines, prompted, run, sees, type } from "./screen.mjs";
import { startServer } from "./server.mjs";

let server, browser, context, page;
let sandbox = "";
const faults = [];

before(async () => {
  server = await startServer();
  browser = await launch();
  context = await browser.newContext(desk);
  page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(String(error)));
  // A line that is for the second terminal; the lab has none.
  await page.addInitScript(() =>
    document.addEventListener("readystatechange", () => {
      if (document.readyState !== "interactive") return; // before the page's own script
      const block = '<pre class="run" data-run data-term="2"><code>echo typed-in-two</code></pre>';
      document.querySelector(".prose")?.insertAdjacentHTML("afterbegin", block);
    }),
  );
  const claimed = page.waitForResponse((answer) => answer.url().endsWith("/api/v1/sandboxes"));
  await page.goto(server.url + lab);
  sandbox = (await (await claimed).json()).id;
  await prompted(page);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const tab = (name) => page.getByRole("tab", { name });
const shown = async () => page.getByRole("tab", { selected: true }).innerText();

test("+ opens a second shell beside the first", async () => {
  await run(page, "echo I am $$; mine=one", /^I am \d+$/m);
  const first = /^I am (\d+)$/m.exec((await lines(page)).join("\n"))[1];
  await page.getByRole("button", { name: "New terminal" }).click();
  assert.equal(await shown(), "2 bash");
  await prompted(page);
  await run(page, 'echo I am $$, not "<$mine>"', /^I am \d+, not <>$/m);
  const second = /^I am (\d+)/m.exec((await lines(page)).join("\n"))[1];
  assert.notEqual(first, second);
  await shot(page, "lab-tabs");
  await accessible(page);
});

test("Ctrl+Shift and a digit goes to that terminal, and opens it", async () => {
  await enter(page);
  await page.keyboard.press("Control+Shift+Digit1");
  assert.equal(await shown(), "1 bash");
  await page.waitForFunction(() => document.activeElement?.closest("#terminal-1"));
  await run(page, 'echo "<$mine>"', /^<one>$/m);
  await page.keyboard.press("Control+Shift+Digit4");
  assert.equal(await shown(), "4 bash");
  await prompted(page);
});

test("arrows go from tab to tab", async () => {
  await tab("4 bash").focus();
  await page.keyboard.press("ArrowLeft");
  assert.equal(await shown(), "2 bash");
  await page.keyboard.press("Home");
  assert.equal(await shown(), "1 bash");
  await page.keyboard.press("End");
  assert.equal(await shown(), "4 bash");
  await page.waitForFunction(() => document.activeElement?.id === "tab-4");
});

test("a closed tab leaves its shell alive", async () => {
  await run(page, "kept=4711");
  await page.getByRole("button", { name: "Close 4" }).click();
  await page.getByText("Closed. Terminal 4 goes on").waitFor();
  assert.equal(await tab("4 bash").count(), 0);
  await page.keyboard.press("Control+Shift+Digit4");
  await prompted(page);
  await run(page, "echo still $kept", /^still 4711$/m);
  await page.getByRole("button", { name: "Close 4" }).click();
});

test("a block for terminal 2 is typed there", async () => {
  await tab("1 bash").click();
  await page.getByRole("button", { name: "Run echo typed-in-two" }).click();
  assert.equal(await shown(), "2 bash");
  await sees(page, /^typed-in-two$/m);
});

test("a reload keeps the tabs", async () => {
  await page.reload();
  await sees(page, /^typed-in-two$/m);
  assert.equal(await shown(), "2 bash");
  assert.deepEqual(await page.getByRole("tab").allInnerTexts(), ["1 bash", "2 bash"]);
  await tab("1 bash").click();
  await run(page, 'echo "<$mine>"', /^<one>$/m);
});

test("find leads through what scrolled away, and Esc leads back", async () => {
  await run(page, "seq -f 'needle %g' 1 300 | grep -v 7");
  await page.keyboard.press("Control+Shift+KeyF");
  const field = page.getByRole("textbox", { name: "Find in this terminal" });
  await field.fill("needle 12");
  await page.getByText(/^\d+ of 10$/).waitFor(); // 12, 120 to 129, without 127
  await page.keyboard.press("Enter");
  await sees(page, /^needle 12\d?$/m);
  await shot(page, "lab-find");
  await accessible(page);
  await field.fill("no such thing");
  await page.getByText("Not here.").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await field.isVisible(), false);
  await page.waitForFunction(() => document.activeElement?.closest("#terminal-1 .screen"));
});

test("the transcript has every line, long ones whole", async () => {
  const long = "abcdefghij".repeat(20);
  await type(page, `echo ${long}`);
  await prompted(page);
  await page.getByText("More", { exact: true }).click();
  await shot(page, "lab-menu");
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download transcript" }).click();
  const file = await saved;
  assert.equal(file.suggestedFilename(), "terminal-1.txt");
  const text = readFileSync(await file.path(), "utf8");
  assert.match(text, /^needle 1\nneedle 2\n/m);
  assert.match(text, new RegExp(`^${long}$`, "m"));
  assert.doesNotMatch(text, /\x1b/);
});

test("a line that was checked has its mark", async () => {
  const mark = (state) => page.locator(`#terminal-1 .mark[data-state="${state}"]`);
  const becomes = (state) => page.locator(`#task-tally[data-state="${state}"]`).waitFor();
  await run(page, "strace ls /");
  await becomes("not-yet");
  for (let n = 0; n < 12; n++) await page.keyboard.press("Shift+PageUp"); // its line scrolled away
  await mark("not-yet").waitFor();
  await sees(page, /^learner:~\$ strace ls \/$/m);
  await shot(page, "lab-mark-not-yet");
  await run(page, "strace -c ls /");
  await mark("passed").waitFor();
  await shot(page, "lab-mark-passed");
  await run(page, "ls");
  assert.equal(await mark("passed").count(), 0);
});

test("leaving is asked about only while a command runs", async () => {
  const asked = [];
  const answer = async (dialog) => {
    asked.push(dialog.type());
    await dialog.accept();
  };
  page.on("dialog", answer);
  await clear(page);
  await page.reload();
  await prompted(page);
  assert.deepEqual(asked, []);
  await clear(page);
  await type(page, "sleep 1000");
  await sees(page, /\$ sleep 1000\n/);
  await page.reload();
  assert.deepEqual(asked, ["beforeunload"]);
  page.off("dialog", answer);
  await sees(page, /\$ sleep 1000\n/);
  await enter(page);
  await page.keyboard.press("Control+c");
  await prompted(page);
});

test("Large fills the screen, and F6 makes it small again", async () => {
  const large = page.getByRole("button", { name: "Large" });
  const width = () => page.evaluate(() => document.querySelector("#terminal-1").offsetWidth);
  const before = await width();
  await large.click();
  await page.waitForFunction(() => document.fullscreenElement?.localName === "sn-terminals");
  await page.getByText("Esc held, or F6, makes it small").waitFor();
  assert.ok((await width()) > before * 1.5);
  await enter(page);
  await run(page, "echo $COLUMNS", /^1\d\d$/m);
  await shot(page, "lab-large");
  await enter(page);
  await page.keyboard.press("F6");
  await page.waitForFunction(() => !document.fullscreenElement);
  assert.equal(await large.getAttribute("aria-pressed"), "false");
  await prompted(page);
});

test("a fork bomb is said, and ended by one button", async () => {
  await run(page, "echo keep > kept");
  await type(page, "f() { f & f & }; f");
  const rescue = page.locator(".words").getByRole("button", { name: "End my processes" });
  await rescue.waitFor({ timeout: 15_000 });
  await page.getByText(/^\d+ of \d+ process slots are taken; nothing new can start\.$/).waitFor();
  await shot(page, "lab-full");
  await rescue.click();
  await page.getByText("Your processes have ended; your home is kept.").waitFor({ timeout: 5000 });
  await rescue.waitFor({ state: "detached", timeout: 15_000 });
  await run(page, "cat kept", /^keep$/m);
});

test("the last minutes are said, and 15 more are a button", async () => {
  // The server's clock says so: its event is told as it would be then.
  await page.route("**/events", (route) =>
    route.fulfill({
      contentType: "text/event-stream",
      body: 'event: time\ndata: {"seconds_left": 290}\n\n',
    }),
  );
  await page.reload();
  await page.getByText("5 min left. Then results are kept, files are not.").waitFor();
  await shot(page, "lab-soon");
  await page.unroute("**/events");
  await page.locator(".words").getByRole("button", { name: "+15 min" }).click();
  await page.getByText("5 min left. Then results are kept").waitFor({ state: "detached" });
});

test("WebGL draws where there is a card, and its loss is survived", async () => {
  const own = await browser.newContext({ ...desk, storageState: await context.storageState() });
  const drawn = await own.newPage();
  // A processor stands in for the card: it does not tell its name.
  await drawn.addInitScript(() => {
    const ask = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, options) {
      const context = ask.call(this, kind, options);
      if (kind === "webgl2") {
        const extension = context.getExtension.bind(context);
        context.getExtension = (name) => (name === "WEBGL_debug_renderer_info" ? null : extension(name));
        (window.drawings ??= []).push(context);
      }
      return context;
    };
  });
  await drawn.goto(server.url + lab);
  await drawn.locator("#terminal-1 .xterm-screen > canvas").first().waitFor();
  await drawn.getByRole("button", { name: "Type here" }).click();
  await drawn.getByRole("button", { name: "New terminal" }).click();
  await drawn.locator("#terminal-2 .xterm-screen > canvas").first().waitFor();
  assert.equal(await drawn.locator("#terminal-1 .xterm-screen > canvas").count(), 0, "a hidden one holds no context");
  await shot(drawn, "lab-webgl");
  await drawn.evaluate(() => window.drawings.at(-1).getExtension("WEBGL_lose_context").loseContext());
  await drawn.locator("#terminal-2 .xterm-rows").waitFor();
  await run(drawn, "echo still drawn", /^still drawn$/m);
  await own.close();
});

test("the browser had nothing to complain of", () => {
  assert.deepEqual(faults, []);
});
