// Memory against the wall: a real program runs into a real limit, and the page
// shows it before, at and after the kill. The tests share one page and run in order.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { accessible, desk, launch, shot } from "./browser.mjs";
import { prompted, run, type } from "./screen.mjs";
import { startServer } from "./server.mjs";

let server, browser, page;
const faults = [];
const streams = { open: 0, closed: 0 }; // of samples

before(async () => {
  server = await startServer({ SYSNERD_LABS: fileURLToPath(new URL("testdata/labs", import.meta.url)) });
  browser = await launch();
  page = await (await browser.newContext(desk)).newPage();
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(String(error)));
  const sampled = (request) => request.url().endsWith("/kernel");
  page.on("request", (request) => (streams.open += sampled(request)));
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => (streams.closed += sampled(request)));
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const wall = () => page.locator("sn-wall");
const now = () => wall().locator(".now");
const limit = () => page.getByRole("combobox", { name: "Limit" });
const becomes = (state) => page.locator(`sn-wall[data-state="${state}"]`).waitFor({ timeout: 15_000 });
const says = (place, pattern) =>
  page.waitForFunction(
    ([where, source]) => new RegExp(source).test(document.querySelector(where)?.textContent.replaceAll("\u00a0", " ") ?? ""),
    [`sn-wall ${place}`, pattern.source],
    { timeout: 15_000 },
  ).catch(async (error) => {
    throw new Error(`${place} says "${await words(place)}", want ${pattern}`, { cause: error });
  });
const words = async (place) => (await wall().locator(place).innerText()).replaceAll("\u00a0", " ");

const heights = {}; // by width

/** The wall never moves what is below it. */
async function keepsHeight(width, name) {
  const { height } = await wall().boundingBox();
  heights[width] ??= height;
  assert.equal(height, heights[width], `the height at ${width} px, ${name}`);
}

/** Takes a picture in every width and colour. */
async function portraits(name) {
  await keepsHeight(1440, name);
  await shot(page, `wall-${name}-light`);
  await page.emulateMedia({ colorScheme: "dark" });
  await shot(page, `wall-${name}-dark`);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  await wall().scrollIntoViewIfNeeded();
  await keepsHeight(390, name);
  await shot(page, `wall-${name}-phone`);
  await page.setViewportSize({ width: 1440, height: 900 });
}

test("before: what is in use, the limit, the host, the cgroup's version", async () => {
  await page.goto(`${server.url}/os/labs/wall`);
  await prompted(page);
  await becomes("before");
  await says(".now", /^\d+ (MiB|KiB) of 256 MiB in use\.$/);
  await says(".host", /^Host: [\d.]+ (GiB|MiB) free\. Your wall, not the machine's\. It is memory\.(max|limit_in_bytes) of your cgroup \(version [12]\)\.$/);
  assert.equal(await limit().inputValue(), String(256 * 1048576));
  assert.deepEqual(
    (await limit().locator("option").allInnerTexts()).map((text) => text.replaceAll("\u00a0", " ")).slice(0, 3),
    ["192 MiB", "256 MiB", "320 MiB"],
  );
  assert.equal(await words(".kills"), "No kill so far.");
  await says(".scores", /^bash \d+/);
  await page.getByRole("img", { name: /Memory in the last half minute: \d+ .iB of 256.MiB in use/ }).waitFor();
  await accessible(page);
  await portraits("before");
});

test("near: how far it is to the wall", async () => {
  await type(page, "{ head -c 232M /dev/zero; sleep 60; } | tail >/dev/null &");
  await becomes("near");
  await says(".now", /^\d+ MiB to the wall\.$/);
  await says(".scores", /^tail \d+1\d\d\d/); // nearly all of the limit, and 300 that learners begin with
  await says(".spoken", /to the wall/);
  await accessible(page);
  await portraits("near");
  await run(page, "kill %1; wait %1", /Terminated/);
});

test("killed: a cross, who, when, how large; the shell lives on", async () => {
  await run(page, "tail /dev/zero >/dev/null; echo ended $?", /^ended 137$/m);
  await becomes("killed");
  await says(".now", /^The kernel ended tail\. Now \d+ (MiB|KiB) of 256 MiB in use\.$/);
  const fact = await words(".kills");
  const [, mib, score] = fact.match(/^Kill 1, \d\d:\d\d:\d\d tail, PID \d+, SIGKILL\. RSS about (\d+) MiB, score about (\d+)\.$/) ?? assert.fail(fact);
  assert.ok(mib > 200 && mib <= 256, fact);
  assert.ok(score > 1100 && score <= 1300, fact);
  assert.equal(await wall().locator(".crosses path").count(), 1);
  await says(".spoken", /^Kill 1,/);
  await accessible(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await accessible(page);
  await page.emulateMedia({ colorScheme: "light" });
  await portraits("killed");
});

test("after: cross and facts stay, also on a page that is loaded anew", async () => {
  await becomes("after");
  assert.match(await words(".kills"), /^Kill 1, .* tail, PID/);
  assert.equal(await wall().locator(".crosses path").count(), 1);
  await portraits("after");
  // Beside a terminal it stays in sight, between the list of tasks and the task gone to.
  await page.getByRole("navigation", { name: "Tasks" }).getByRole("link", { name: /Hold most/ }).click();
  await shot(page, "wall-after-scrolled");
  const edges = await page.evaluate(() => {
    const at = (what) => document.querySelector(what).getBoundingClientRect();
    return [at(".glance").bottom, at("sn-wall").top, at("sn-wall").bottom, at("#task-most").top, innerHeight];
  });
  assert.ok(Math.abs(edges[0] - edges[1]) <= 1 && edges[2] <= edges[3] && edges[3] < edges[4], `edges ${edges}`);
  await page.reload();
  await prompted(page);
  await becomes("after");
  assert.match(await words(".kills"), /^Kill 1, .* tail, PID/);
});

test("the limit moves by the keyboard, and the same program runs to its end", async () => {
  await limit().focus();
  await page.keyboard.press("End");
  await says(".limit text", /^512 MiB, the wall$/);
  await says(".now", /of 512 MiB in use/);
  await run(page, "head -c 400M /dev/zero | tail >/dev/null; echo ended ${PIPESTATUS[1]}", /^ended 0$/m);
  assert.match(await words(".kills"), /^Kill 1,/);
  await portraits("moved");
});

test("a limit below what is in use is refused, with the figure", async () => {
  await says(".now", /^\d\d? MiB of 512 MiB in use/); // no sample of the program before
  await type(page, "{ head -c 300M /dev/zero; sleep 60; } | tail >/dev/null &");
  await says(".now", /^3\d\d MiB of 512 MiB in use/);
  await limit().selectOption({ index: 0 });
  await says(".host", /^The limit can't go down to 192 MiB: 3\d\d MiB are in use/);
  await says(".spoken", /can't go down/);
  assert.equal(await limit().inputValue(), String(512 * 1048576));
  await portraits("refused");
  await run(page, "kill %1; wait %1", /Terminated/);
});

test("the stream runs only while somebody can see the wall", async () => {
  await page.setViewportSize({ width: 390, height: 500 });
  await wall().scrollIntoViewIfNeeded();
  const before = { ...streams };
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await page.waitForFunction(() => document.querySelector("sn-wall").getBoundingClientRect().bottom < 0);
  for (let i = 0; streams.closed === before.closed && i < 100; i++) await page.waitForTimeout(50);
  assert.equal(streams.closed, before.closed + 1, "it is closed out of sight");
  const opened = page.waitForRequest((request) => request.url().endsWith("/kernel"));
  await wall().scrollIntoViewIfNeeded();
  await opened;
  await page.setViewportSize(desk.viewport);
});

test("reduced motion: a frame says what changed, and nothing slides", async () => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await limit().selectOption({ index: 1 });
  await page.locator("sn-wall[data-changed]").waitFor();
  assert.equal(await wall().locator(".limit").evaluate((wall) => getComputedStyle(wall).transitionDuration), "0s");
  assert.notEqual(
    await wall().locator(".picture").evaluate((picture) => getComputedStyle(picture).outlineColor),
    "rgba(0, 0, 0, 0)",
  );
});

test("the browser had nothing to complain of, but the refusal", () => {
  assert.deepEqual(
    faults.filter((fault) => !/409 \(Conflict\)/.test(fault)),
    [],
  );
});
