// A learner's way, in a real browser, through a real sandbox: home, lab, a wrong
// attempt, a right one, and everything that a terminal must bear.
// The tests share one page and run in order, as a person would.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible as axe, desk, lab, launch, shot as photograph } from "./browser.mjs";
import { clear, enter, lines, paste, prompted, run, sees, type } from "./screen.mjs";
import { startServer } from "./server.mjs";

let server, browser, context, page;
let sandbox = ""; // id of the one that the page has now
const faults = []; // what the browser complained of

before(async () => {
  server = await startServer();
  browser = await launch();
  context = await browser.newContext(desk);
  page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("response", async (answer) => {
    if (answer.request().method() === "POST" && answer.url() === `${server.url}/api/v1/sandboxes`) {
      sandbox = (await answer.json()).id;
    }
  });
  page.on("pageerror", (error) => faults.push(String(error)));
});

after(async () => {
  await browser?.close();
  await server?.stop();
  console.log(server?.log() ?? "");
});

const shot = (name, fullPage) => photograph(page, name, fullPage);
const accessible = () => axe(page);
const task = (id) => page.locator(`#task-${id}`);
const state = (id) => task(id).getAttribute("data-state");
const becomes = (id, now) => page.locator(`#task-${id}[data-state="${now}"]`).waitFor({ timeout: 15_000 });

/** Takes a picture in every width and colour; the terminal follows. */
async function portraits(name) {
  await shot(`${name}-light`);
  await page.emulateMedia({ colorScheme: "dark" });
  await shot(`${name}-dark`);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1024, height: 768 });
  await shot(`${name}-1024`);
  await page.setViewportSize({ width: 390, height: 844 });
  await shot(`${name}-phone`);
  await page.setViewportSize({ width: 1440, height: 900 });
}

test("home shows the course and leads to the lab", async () => {
  await page.goto(server.url);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await accessible();
  await page.emulateMedia({ colorScheme: "dark" });
  await accessible();
  await shot("home-dark", true);
  await page.emulateMedia({ colorScheme: "light" });
  await shot("home-light", true);
  await page.setViewportSize({ width: 390, height: 844 });
  await shot("home-phone", true);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("link", { name: "Watch the system call boundary" }).first().click();
  await page.waitForURL(server.url + lab);
});

test("the lab's terminal comes to its prompt", async () => {
  await prompted(page);
  assert.equal(await state("tally"), "open");
  await portraits("lab-before");
});

test("the lab page is accessible, light and dark", async () => {
  await accessible();
  await page.emulateMedia({ colorScheme: "dark" });
  await accessible();
  await page.emulateMedia({ colorScheme: "light" });
});

test("F6 leaves the terminal, and comes back", async () => {
  await enter(page);
  await page.keyboard.press("F6");
  assert.equal(await page.evaluate(() => document.activeElement?.closest("sn-terminals") ?? null), null);
  await page.keyboard.press("Shift+F6");
  await page.waitForFunction(() => document.activeElement?.closest("sn-terminals"));
});

test("a stray command leaves the task open", async () => {
  const checked = page.evaluate(
    (id) =>
      new Promise((resolve) => {
        const events = new EventSource(`/api/v1/sandboxes/${id}/events`);
        events.addEventListener("result", (event) => {
          const result = JSON.parse(event.data);
          if (result.task !== "tally") return;
          events.close();
          resolve(result);
        });
      }),
    sandbox,
  );
  await run(page, "ls");
  const result = await checked;
  assert.equal(result.status, "fail");
  assert.equal(result.attempted, false);
  assert.equal(await state("tally"), "open");
});

test("a wrong attempt turns it to not yet, and says why", async () => {
  await run(page, "strace ls /");
  await becomes("tally", "not-yet");
  const verdict = task("tally").locator(".verdict");
  assert.match(await verdict.locator(".message").innerText(), /tally/);
  for (const name of ["Expected", "Observed", "Evidence", "Hint"]) {
    await verdict.getByText(name, { exact: true }).waitFor();
  }
  await task("tally").locator(".verdict").scrollIntoViewIfNeeded();
  await portraits("lab-not-yet");
  await accessible();
});

test("the right command turns it green", async () => {
  await run(page, "strace -c ls /", /calls/);
  await becomes("tally", "passed");
  await task("tally").scrollIntoViewIfNeeded();
  await portraits("lab-passed");
});

test("Run types a block's line into the terminal", async () => {
  await clear(page);
  await task("secret-path").getByRole("button", { name: "Run mystery" }).click();
  await sees(page, /mystery/);
  await prompted(page);
});

test("an answer in the field is checked at once", async () => {
  await task("secret-path").getByLabel("Your answer").fill("/etc/hosts");
  await task("secret-path").getByRole("button", { name: "Answer" }).click();
  await becomes("secret-path", "not-yet");
});

test("a prediction is kept and shown", async () => {
  const batching = task("batching");
  await batching.getByRole("radio", { name: "gulp" }).check();
  await batching.getByRole("button", { name: "Say it" }).click();
  await batching.getByText("You said gulp. Now run it.").waitFor();
  assert.equal(await state("batching"), "predicted");
});

test("Ctrl+Enter in the terminal checks the task that is next", async () => {
  const answered = page.waitForResponse((answer) => answer.url().endsWith("/check"));
  await enter(page);
  await page.keyboard.press("Control+Enter");
  assert.deepEqual((await answered).request().postDataJSON(), { task: "secret-path" });
});

test("15 minutes more are given", async () => {
  const left = async () => Number.parseInt(await page.locator("sn-time").innerText(), 10);
  const before = await left();
  await page.getByRole("button", { name: "+15 min" }).click();
  await page.waitForFunction(
    (least) => Number.parseInt(document.querySelector("sn-time").textContent, 10) >= least,
    before + 14,
  );
});

test("a screen reader is given the terminal's text", async () => {
  const menu = page.getByText("More", { exact: true });
  const toggle = page.getByRole("button", { name: "Screen reader" });
  await menu.click();
  await toggle.click();
  await run(page, "echo read-me-aloud", /^read-me-aloud$/m);
  await page.getByRole("listitem").filter({ hasText: /^read-me-aloud$/ }).waitFor({ state: "attached" });
  await menu.click();
  await toggle.click();
  await page.keyboard.press("Escape");
  assert.equal(await toggle.isVisible(), false);
});

test("a hint opens, and the next one waits", async () => {
  await task("secret-path").getByRole("button", { name: "Next hint" }).click();
  await task("secret-path").locator(".hints li").waitFor();
  assert.equal(await task("secret-path").locator(".hints li").count(), 1);
});

test("a reload keeps the shell", async () => {
  await run(page, "mine=4711");
  await page.reload();
  await prompted(page);
  assert.equal(await state("tally"), "passed");
  await run(page, 'echo "still $mine"', /^still 4711$/m);
});

test("Ctrl-P brings the last command back", async () => {
  await clear(page);
  await page.keyboard.press("Control+p");
  await sees(page, /\$ clear/);
  await page.keyboard.press("Control+p");
  await sees(page, /\$ echo "still \$mine"/);
  await page.keyboard.press("Enter");
  await sees(page, /^still 4711$/m);
});

test("vim edits and saves", async () => {
  await clear(page);
  await type(page, "vim notes");
  await sees(page, /^~$/m);
  await page.keyboard.type("ihello from vim");
  await page.keyboard.press("Escape");
  await page.keyboard.type(":wq");
  await page.keyboard.press("Enter");
  await prompted(page);
  await run(page, "cat notes", /^hello from vim$/m);
});

test("less goes to the end and back", async () => {
  await clear(page);
  await type(page, "seq 1 500 | less");
  await sees(page, /^1\n2\n3\n/);
  await page.keyboard.press("G");
  await sees(page, /^500$/m);
  await page.keyboard.press("g");
  await sees(page, /^1\n2\n3\n/);
  await page.keyboard.press("q");
  await prompted(page);
});

test("a reload in the middle of top shows it again, alive", async () => {
  await clear(page);
  await type(page, "top -d 1");
  await sees(page, /PID USER/);
  await page.reload();
  await sees(page, /PID USER/);
  const clock = async () => /top - (\d\d:\d\d:\d\d)/.exec((await lines(page)).join("\n"))?.[1];
  const then = await clock();
  assert.ok(then, "top's first line has a clock");
  await sees(page, new RegExp(`top - (?!${then})\\d\\d:\\d\\d:\\d\\d`));
  await enter(page);
  await page.keyboard.press("q");
  await prompted(page);
  assert.doesNotMatch((await lines(page)).join("\n"), /\d+;\d+c|\[\?1;2c/, "no answer to an old question was typed");
});

test("a reload in vim types nothing into it", async () => {
  await clear(page);
  await type(page, "vim more");
  await sees(page, /^~$/m);
  await page.keyboard.type("ibefore");
  await sees(page, /^before$/m);
  await page.reload();
  await sees(page, /^before$/m);
  await enter(page);
  await page.keyboard.type(" after");
  await sees(page, /^before after$/m);
  await page.keyboard.press("Escape");
  await page.keyboard.type(":wq");
  await page.keyboard.press("Enter");
  await prompted(page);
  await run(page, "cat more", /^before after$/m);
});

test("Ctrl-C copies what is selected, and the Paste button types it", async () => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
  await run(page, "echo copy-me", /^copy-me$/m);
  const word = await page.locator(".xterm-rows > div", { hasText: /^copy-me/ }).boundingBox();
  await page.mouse.dblclick(word.x + 5, word.y + 5);
  await page.keyboard.press("Control+c");
  await page.getByText(/^Copied \d+ bytes\.$/).waitFor();
  await page.getByRole("button", { name: "Paste", exact: true }).click();
  await sees(page, /\$ copy-me *\n*$/);
  await page.keyboard.press("Control+c");
  await sees(page, /\^C\n[^\n]*\$ *\n*$/);
});

test("the divider moves by keys and is remembered", async () => {
  const divider = page.getByRole("separator", { name: "Width of the text" });
  const before = Number(await divider.getAttribute("aria-valuenow"));
  await divider.focus();
  await page.keyboard.press("ArrowLeft");
  assert.equal(Number(await divider.getAttribute("aria-valuenow")), before - 2);
  await page.reload();
  await prompted(page);
  assert.equal(Number(await divider.getAttribute("aria-valuenow")), before - 2);
});

test("Ctrl-C ends yes", async () => {
  await clear(page);
  await type(page, "yes");
  await sees(page, /^y\ny\ny\n/m);
  await page.keyboard.press("Control+c");
  await sees(page, /\^C\n[^\n]*\$ *\n*$/);
});

test("the shell knows the size after a resize", async () => {
  await page.setViewportSize({ width: 1100, height: 600 });
  await clear(page);
  await type(page, "stty size");
  await sees(page, /^\d+ \d+$/m);
  const [, tall, wide] = /^(\d+) (\d+)$/m.exec((await lines(page)).join("\n"));
  assert.equal(Number(tall), (await lines(page)).length);
  await page.setViewportSize({ width: 1440, height: 900 });
  await clear(page);
  await type(page, "stty size");
  await sees(page, new RegExp(`^(?!${tall} )\\d+ (?!${wide}$)\\d+$`, "m"));
});

test("a paste of 1 MB arrives whole", async () => {
  const line = `${"0123456789abcdef".repeat(4)}\n`;
  const text = line.repeat(Math.ceil(2 ** 20 / line.length));
  await clear(page);
  await type(page, "stty -echo; echo ready; sum=$(cat | md5sum); stty echo; echo \"got $sum\"");
  await sees(page, /^ready$/m);
  await paste(page, text);
  await page.keyboard.press("Control+d");
  const { createHash } = await import("node:crypto");
  await sees(page, new RegExp(`^got ${createHash("md5").update(text).digest("hex")}`, "m"), 60_000);
});

test("a line too long for a program is said before it is pasted", async () => {
  await clear(page);
  await paste(page, "x".repeat(5000));
  await page.getByText("One line has 5,000 bytes.").waitFor();
  await page.getByRole("button", { name: "Leave it" }).click();
  await prompted(page);
});

test("a second page watches, and can take over", async () => {
  const other = await context.newPage();
  await other.goto(server.url + lab);
  await other.getByText("Open in another tab; you are watching.").waitFor();
  await photograph(other, "lab-watching");
  await other.getByRole("button", { name: "Type here" }).click();
  await page.getByText("Open in another tab; you are watching.").waitFor();
  await run(other, "echo taken", /^taken$/m);
  await other.close();
  await page.getByText("Open in another tab; you are watching.").waitFor({ state: "detached" });
});

test("a server that is killed and started again loses nothing", async () => {
  await run(page, "mine=0815");
  await server.kill();
  await page.getByText(/^Connection lost\. Your shell runs on\. Next try in \d+ s\.$/).waitFor();
  await shot("lab-lost");
  faults.length = 0; // those of the cut are not ours
  server.again();
  await page.getByText("Back. Nothing was lost.").waitFor({ timeout: 20_000 });
  await run(page, 'echo "still $mine"', /^still 0815$/m);
  faults.length = 0;
});

test("on a phone the terminal is a sheet with the keys that are missing", async () => {
  const phone = await browser.newContext({
    viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, storageState: await context.storageState(),
  });
  const hand = await phone.newPage();
  await hand.goto(server.url + lab);
  await hand.getByRole("button", { name: "Terminal", exact: true }).tap();
  await hand.getByRole("button", { name: "Type here" }).tap();
  await prompted(hand);
  await hand.getByRole("button", { name: "Up" }).tap();
  await sees(hand, /\$ \S/);
  await photograph(hand, "lab-sheet-phone");
  await hand.getByRole("button", { name: "^C" }).tap();
  await sees(hand, /\^C\n[^\n]*\$ *\n*$/);
  await hand.getByRole("button", { name: "Ctrl", exact: true }).tap();
  await hand.keyboard.type("l");
  await sees(hand, /^[^\n]*\$ *\n*$/);
  await phone.close();
  await page.getByText("Open in another tab; you are watching.").waitFor({ state: "detached" });
});

test("reset gives a new home and keeps what was passed", async () => {
  await page.reload();
  await prompted(page);
  await run(page, "ls notes", /^notes$/m);
  await page.getByRole("button", { name: "Reset", exact: true }).click();
  await page.getByRole("button", { name: "Reset it" }).click();
  await page.getByText("The sandbox is as new.").waitFor({ timeout: 15_000 });
  await run(page, "ls notes", /cannot access/);
  assert.equal(await state("tally"), "passed");
});

test("a sandbox that ends is said within 2 s, with a new one a click away", async () => {
  const gone = page.getByText("This sandbox has ended. Results are kept, files are not.");
  await page.evaluate((id) => fetch(`/api/v1/sandboxes/${id}`, { method: "DELETE" }), sandbox);
  await gone.waitFor({ timeout: 2000 });
  await shot("lab-ended");
  await page.getByRole("button", { name: "Start a new one" }).click();
  await prompted(page);
});

test("without script the text is there, and says what is missing", async () => {
  const plain = await browser.newContext({ javaScriptEnabled: false });
  const read = await plain.newPage();
  await read.goto(server.url + lab);
  await read.getByText("The terminal needs JavaScript; all else works.").waitFor();
  assert.equal(await read.getByRole("button").count(), 0);
  await plain.close();
});

test("the browser had nothing to complain of", () => {
  assert.deepEqual(faults, []);
});
