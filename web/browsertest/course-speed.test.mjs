// How fast the real course comes, measured as a browser sees it: on loopback, with a
// processor four times slower.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { desk, launch } from "./browser.mjs";
import { coursePages, startServer } from "./server.mjs";

const slower = 4; // × than this machine
const most = { bytes: 150 * 1024, paint: 1000, task: 200, shift: 0.02 };
const visits = 5;

let server, browser;
let paths = [];

before(async () => {
  server = await startServer();
  browser = await launch();
  paths = await coursePages(server.url);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/**
 * What a page costs: the least of up to five visits, each as a new reader. A page that is
 * too heavy is so at each visit; other programs of this machine only ever add to a time.
 */
async function measure(path) {
  const least = await visit(path);
  for (let again = 1; again < visits && Object.keys(most).some((key) => least[key] > most[key]); again++) {
    const cost = await visit(path);
    for (const key of Object.keys(most)) least[key] = Math.min(least[key], cost[key]);
  }
  return least;
}

/**
 * Opens a page anew and reads it to its end. The browser tells of each task how long it
 * took, and how long of that it had the (slowed) processor. While another program had it,
 * the page did nothing: that time is no part of its tasks, nor of the way to its paint.
 */
async function visit(path) {
  const context = await browser.newContext(desk);
  const page = await context.newPage();
  const wire = await context.newCDPSession(page);
  await wire.send("Network.enable");
  const events = [];
  const traced = new Promise((done) => wire.on("Tracing.tracingComplete", done));
  wire.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  await wire.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["toplevel", "loading"] } });
  await wire.send("Emulation.setCPUThrottlingRate", { rate: slower });
  let bytes = 0;
  const foreign = [];
  const files = [];
  wire.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  page.on("request", (request) => {
    files.push(request.url());
    if (!request.url().startsWith(server.url) && !request.url().startsWith("data:")) foreign.push(request.url());
  });
  await page.addInitScript(() => {
    window.seen = { paint: 0, shift: 0, task: 0 };
    new PerformanceObserver((list) => list.getEntries().forEach((one) => (window.seen.paint = Math.max(window.seen.paint, one.startTime)))).observe({ type: "largest-contentful-paint", buffered: true });
    new PerformanceObserver((list) => list.getEntries().forEach((one) => !one.hadRecentInput && (window.seen.shift += one.value))).observe({ type: "layout-shift", buffered: true });
    new PerformanceObserver((list) => list.getEntries().forEach((one) => (window.seen.task = Math.max(window.seen.task, one.duration)))).observe({ type: "longtask", buffered: true });
  });
  await page.goto(server.url + path, { waitUntil: "networkidle" });
  const first = bytes;
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  for (let y = 0; y < height; y += 700) {
    await page.mouse.wheel(0, 700);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  }
  const seen = await page.evaluate(() => window.seen);
  await wire.send("Tracing.end");
  await traced;
  await context.close();
  assert.ok(seen.paint > 0, `${path} was never painted`);
  const painted = events.findLast(({ name }) => name === "largestContentfulPaint::Candidate");
  const tasks = events.filter(({ name, pid, tid, dur }) => name === "ThreadControllerImpl::RunTask" && pid === painted.pid && tid === painted.tid && dur > 0);
  assert.ok(tasks.some(({ tdur }) => tdur > 0), "the browser tells no longer how long its tasks had the processor");
  const before = tasks.filter(({ ts, dur }) => ts > painted.ts - seen.paint * 1000 && ts + dur <= painted.ts);
  const waited = before.reduce((sum, { dur, tdur }) => sum + dur - (tdur ?? dur), 0) / 1000;
  const worked = Math.max(...tasks.map(({ tdur }) => tdur ?? 0)) / 1000;
  return { shift: seen.shift, paint: seen.paint - waited, task: worked, clock: seen, bytes: first, foreign, terminals: files.filter((file) => /sandbox-panel|xterm/.test(file)) };
}

test("each page is small, paints soon, holds still, and asks nobody else", async () => {
  const missed = [];
  const worst = { bytes: 0, paint: 0, task: 0, shift: 0 };
  for (const path of paths) {
    const cost = await measure(path);
    for (const key of Object.keys(worst)) worst[key] = Math.max(worst[key], cost[key]);
    const figures = `${path}: ${(cost.bytes / 1024).toFixed(1)} KiB, largest paint ${Math.round(cost.paint)} ms, longest task ${Math.round(cost.task)} ms, shift ${cost.shift.toFixed(4)}`;
    console.log(`${figures} (by the clock: ${Math.round(cost.clock.paint)}, ${Math.round(cost.clock.task)} ms)`);
    assert.deepEqual(cost.foreign, [], `${path} asks another server`);
    assert.deepEqual(cost.terminals, [], `${path} loads terminals that nobody opened`);
    for (const key of Object.keys(most)) if (cost[key] > most[key]) missed.push(`${figures}; ${key} may be ${most[key]}`);
  }
  console.log(`worst of ${paths.length} pages: ${(worst.bytes / 1024).toFixed(1)} KiB, paint ${Math.round(worst.paint)} ms, task ${Math.round(worst.task)} ms, shift ${worst.shift.toFixed(4)}`);
  assert.deepEqual(missed, []);
});
