// The course as it is read: drawings that go on step by step, tables that answer, recall,
// search and the gauntlet; by keyboard alone, in print, and without script. The sample
// course holds one of every kind; the real one is looked at page by page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { accessible, desk, launch, shot } from "./browser.mjs";
import { startServer } from "./server.mjs";

const sample = fileURLToPath(new URL("../../labs/testdata/sample", import.meta.url));
const section = "/os/sections/program-to-process";

let server, browser, context, page;
const faults = [];

before(async () => {
  server = await startServer({}, ["--labs", sample, "--watch"]);
  browser = await launch();
  context = await browser.newContext(desk);
  page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(String(error)));
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const at = (path) => server.url + path;
const stepper = (id) => page.locator(`sn-stepper#${id}`);
const count = (id) => stepper(id).locator(".count");
const drawing = (id) => stepper(id).locator("svg.drawing");
const key = async (...keys) => {
  for (const one of keys) await page.keyboard.press(one);
};
const fresh = async (path) => {
  await page.goto("about:blank");
  await page.goto(at(path));
};
const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");

/** To the last step by keys alone, through each question; returns the names of the steps. */
async function walk(id) {
  await stepper(id).getByRole("button", { name: "Next", exact: true }).focus();
  const last = await stepper(id).locator(".marks a").count();
  const names = [];
  for (let step = 1; step <= last; step++) {
    await page.waitForFunction(([id, step]) => document.querySelector(`#${id} .count`)?.textContent?.startsWith(`${step} of`), [id, step]);
    if (await stepper(id).locator("[data-asks]").count()) {
      const caption = stepper(id).locator(".text-of[data-now] .caption");
      assert.equal(await caption.isVisible(), false, `step ${step} of ${id} shows its caption before it is answered`);
      await key("ArrowRight"); // to the question, not past it
      assert.ok((await count(id).textContent())?.startsWith(`${step} of`), `the question of step ${step} was passed over`);
      await key("Enter"); // the first option
      assert.match((await stepper(id).locator(".text-of[data-now] .reply").textContent()) ?? "", /^(Yes|You said)/);
    }
    assert.equal(await stepper(id).locator(".text-of[data-now] .caption").isVisible(), true);
    names.push(await drawing(id).getAttribute("aria-label"));
    assert.equal(new URL(page.url()).hash === `#${id}-step-${step}` || step === 1, true, page.url());
    await key("ArrowRight");
  }
  return names;
}

for (const [id, steps] of Object.entries({ birth: 7, translate: 5, crossing: 7, lost: 2 })) {
  test(`the stepper ${id} is walked by keyboard alone`, async () => {
    await fresh(section);
    const heights = [];
    const names = await walk(id);
    assert.equal(new Set(names).size, steps);
    for (const step of [1, Math.ceil(steps / 2), steps]) {
      await stepper(id).locator(".marks a").nth(step - 1).click();
      heights.push(Math.round((await stepper(id).boundingBox()).height));
      await shot(page, `stepper-${id}-${step}`);
    }
    assert.equal(new Set(heights).size, 1, `the stepper's height changes: ${heights.join(", ")}`);
    await key("Home");
    assert.match((await count(id).textContent()) ?? "", /^1 of/);
    await key("End");
    assert.match((await count(id).textContent()) ?? "", new RegExp(`^${steps} of`));
    await key("ArrowLeft");
    assert.match((await count(id).textContent()) ?? "", new RegExp(`^${steps - 1} of`));
  });
}

test("each step has an address", async () => {
  await fresh(`${section}#crossing-step-4`);
  await page.waitForFunction(() => document.querySelector("#crossing .count")?.textContent?.startsWith("4 of"));
  await page.waitForFunction(() => Math.abs(document.querySelector("#crossing").getBoundingClientRect().top) < 80);
  await page.evaluate(() => (location.hash = "#birth-step-5"));
  await page.waitForFunction(() => document.querySelector("#birth .count")?.textContent?.startsWith("5 of"));
});

test("the reader chooses another address and page size, and all is computed anew", async () => {
  await fresh(`${section}#translate-step-5`);
  const text = async () => (await drawing("translate").textContent()) ?? "";
  await page.waitForFunction(() => document.querySelector("#translate .count")?.textContent?.startsWith("5 of"));
  const address = stepper("translate").getByRole("textbox", { name: "Address" });
  await address.fill("0x7ffd12a4c0f8");
  // 0x7ffd12a4c0f8: 0xff 0x1f4 0x95 0x4c 0x0f8, by hand.
  for (const piece of ["255", "500", "149", "76", "0x0f8", "0x7ffd12a4c0f8"]) assert.ok((await text()).includes(piece), `${piece} is not in ${await text()}`);
  await stepper("translate").getByRole("button", { name: "2 MiB" }).click();
  assert.ok((await text()).includes("0x04c0f8"), "an offset of 21 bits");
  assert.ok(!(await text()).includes("level 1"), "no table of level 1 for 2 MiB");
  await address.fill("0xffffffff81000000");
  assert.equal(await address.getAttribute("aria-invalid"), "true");
  await stepper("translate").getByText("A program's own addresses end at 0x7fffffffffff.").waitFor();
  await address.fill("0x555000");
  await stepper("translate").getByRole("button", { name: "4 KiB" }).click();
  await stepper("translate").getByRole("button", { name: "Same page" }).click();
  await stepper("translate").getByText(/is in the TLB: a hit/).waitFor();
  await stepper("translate").getByRole("button", { name: "Next page" }).click();
  await stepper("translate").getByText(/is not in the TLB: a walk of 4 reads/).waitFor();
});

test("the reader is the scheduler: loses an update, keeps both, then turns the mutex on", async () => {
  await fresh(section);
  const lost = stepper("lost");
  const run = async (order) => {
    for (const thread of order) await lost.getByRole("button", { name: new RegExp(`^${thread}: `) }).press("Enter");
  };
  const said = lost.locator(".said");
  const mutex = lost.getByRole("button", { name: /^Mutex/ });
  const show = lost.getByRole("button", { name: "Show me" });
  await show.waitFor();
  assert.equal(await mutex.count(), 0, "it asks before there is anything to try");
  await show.press("Enter");
  await mutex.press("Enter");
  assert.match((await said.textContent()) ?? "", /First find/);
  await run("ABABAB");
  assert.match((await said.textContent()) ?? "", /x is 42\..* lost/);
  await lost.getByRole("button", { name: "Start again" }).press("Enter");
  await run("AAABBB");
  assert.match((await said.textContent()) ?? "", /x is 43/);
  await shot(page, "lost-update-found");
  await mutex.press("Enter");
  assert.equal(await mutex.getAttribute("aria-pressed"), "true");
  await run("AA");
  await run("B"); // waits
  assert.match((await said.textContent()) ?? "", /B waits: A holds the mutex/);
  await run("AAABBBBB");
  assert.match((await said.textContent()) ?? "", /x is 43\. With the mutex/);
});

test("a table's rows open by keyboard, by pointer, and never by hovering", async () => {
  await fresh(section);
  const table = page.locator("sn-answers").first();
  const rows = table.locator(".grid > button");
  const open = () => table.locator(".panel[data-open]");
  const last = (await rows.count()) - 1;
  assert.equal(await rows.nth(0).getAttribute("aria-expanded"), "true");
  await rows.nth(0).focus();
  await key("ArrowDown");
  assert.equal(await rows.nth(1).getAttribute("aria-expanded"), "true");
  assert.equal(await open().count(), 1);
  await key("End");
  assert.equal(await rows.nth(last).getAttribute("aria-expanded"), "true");
  await key("Home");
  assert.equal(await rows.nth(0).getAttribute("aria-expanded"), "true");
  await rows.nth(1).hover();
  assert.equal(await rows.nth(1).getAttribute("aria-expanded"), "false");
  await rows.nth(1).click();
  assert.equal(await rows.nth(1).getAttribute("aria-expanded"), "true");
  await shot(page, "table-open");
});

test("a prediction comes before its answer", async () => {
  await fresh(section);
  const predict = page.locator("sn-predict").first();
  const answer = await predict.getAttribute("data-answer");
  assert.equal(await predict.locator("details").isVisible(), false);
  await predict.getByRole("radio").first().focus();
  await key("Space");
  await predict.getByRole("button", { name: "Say it" }).press("Enter");
  assert.ok(((await predict.locator(".verdict").textContent()) ?? "").includes(answer ?? "?"));
});

test("recall answers each wrong answer, and is counted on the server", async () => {
  await fresh(section);
  for (const recall of await page.locator('sn-recall[data-kind="choice"]').all()) {
    const wrong = recall.locator("input:not([data-right])").first();
    const index = await wrong.getAttribute("value");
    const own = await recall.locator(`template[data-reply="${index}"]`).evaluate((one) => one.content.textContent);
    await wrong.check();
    await recall.getByRole("button", { name: "Answer" }).click();
    assert.ok(((await recall.locator(".verdict").textContent()) ?? "").includes(own.trim()));
    await recall.locator("input[data-right]").check();
    await recall.getByRole("button", { name: "Answer" }).click();
    assert.match((await recall.locator(".verdict").textContent()) ?? "", /^Yes/);
    assert.equal(await recall.locator("details").getAttribute("open"), "");
  }
  for (const recall of await page.locator('sn-recall[data-kind="text"]').all()) {
    const accept = JSON.parse((await recall.getAttribute("data-accept")) ?? "[]");
    await recall.getByRole("textbox").fill(`  ${accept[0].toUpperCase()} `);
    await key("Enter");
    assert.match((await recall.locator(".verdict").textContent()) ?? "", /^Yes/);
  }
  for (const recall of await page.locator('sn-recall[data-kind="aloud"]').all()) {
    assert.equal(await recall.getByRole("checkbox").count(), 0, "the points are hidden while one speaks");
    await recall.getByRole("button", { name: "I have said it" }).press("Enter");
    for (const point of await recall.getByRole("checkbox").all()) await point.check();
    await recall.getByRole("button", { name: "Mark it" }).press("Enter");
    assert.match((await recall.locator(".verdict").textContent()) ?? "", /^You said (\d) of \1/);
  }
  await shot(page, "recall-answered");
  await page.locator("nav.turn").scrollIntoViewIfNeeded();
  const reading = async () => (await (await context.request.get(at("/api/v1/modules/os/reading"))).json()).sections.find(({ id }) => id === "program-to-process");
  await page.waitForFunction(() => {
    const { read, unsent } = JSON.parse(localStorage.getItem("reading:os") ?? "{}");
    return read?.includes("program-to-process") && unsent.length === 0;
  });
  const kept = await reading();
  assert.equal(kept.recalled.length, 3);
  assert.equal(kept.read, true);
  await page.locator('.toc li[data-state="passed"] > a[aria-current="page"]').waitFor();
});

test("what was answered while the server was away is told later", async () => {
  const other = await browser.newContext(desk);
  const away = await other.newPage();
  await away.goto(at("/os/sections/the-machine"));
  await away.route("**/api/v1/**", (route) => route.abort());
  const recall = away.locator('sn-recall[data-kind="choice"]').first();
  await recall.locator("input[data-right]").check();
  await recall.getByRole("button", { name: "Answer" }).click();
  await away.waitForFunction(() => JSON.parse(localStorage.getItem("reading:os") ?? "{}").unsent?.length > 0);
  await away.unroute("**/api/v1/**");
  await away.goto(at("/os/sections/program-to-process"));
  await away.waitForFunction(() => JSON.parse(localStorage.getItem("reading:os") ?? "{}").unsent?.length === 0);
  const { sections } = await (await other.request.get(at("/api/v1/modules/os/reading"))).json();
  assert.deepEqual(sections.find(({ id }) => id === "the-machine").recalled, [await recallId("the-machine")]);
  await other.close();
});

async function recallId(id) {
  const text = await (await fetch(at(`/os/sections/${id}`))).text();
  return /<sn-recall data-id="([^"]+)" data-kind="choice"/.exec(text)?.[1];
}

test("the contents follow the reading, and home leads back to the place", async () => {
  await fresh(section);
  await page.locator("#see").evaluate((one) => one.scrollIntoView({ block: "start" }));
  await page.locator('.toc .moves a[href="#see"][aria-current]').waitFor();
  await page.goto(at("/"));
  const line = page.locator("p.continue");
  await line.getByRole("link", { name: "Continue" }).waitFor();
  assert.match((await line.textContent()) ?? "", /02 From program to process, “.+”, \d+ min/);
  assert.ok((await line.getByRole("link").getAttribute("href")).endsWith(`${section}#see`));
});

test("search finds by keyboard, offline too, and says when nothing is there", async () => {
  await fresh(section);
  await key("/");
  await page.keyboard.type("stack");
  await page.locator("sn-search li a").first().waitFor();
  await shot(page, "search");
  await context.setOffline(true);
  await page.locator("sn-search input").fill("kernel");
  await page.locator("sn-search li a").first().waitFor();
  await context.setOffline(false);
  await page.locator("sn-search input").fill("xyzzy");
  await page.getByText("No section says “xyzzy”.").waitFor();
  assert.equal(await page.locator("sn-search .says a").textContent(), "Terms");
  await key("Escape");
  assert.equal(await page.locator("sn-search .found").isVisible(), false);
  await key("/");
  await page.locator("sn-search input").fill("stack");
  await page.locator("sn-search li a").first().waitFor();
  await key("ArrowDown", "Enter");
  await page.waitForURL(/#/);
});

test("the list of keys opens by ?, gives the focus back, and single keys can be turned off", async () => {
  await fresh(section);
  const list = page.getByRole("region", { name: "Keys" });
  const link = page.locator(".crumbs a").first();
  await link.focus();
  await key("?");
  await list.waitFor();
  await accessible(page);
  await shot(page, "keys");
  await key("Escape");
  assert.equal(await list.isVisible(), false);
  assert.equal(await focused(), await link.textContent());
  await key("?");
  await page.getByLabel("/ and ? act alone").uncheck();
  await key("Escape");
  await key("?");
  assert.equal(await list.isVisible(), false);
  await page.evaluate(() => localStorage.removeItem("single-keys"));
});

test("F6 goes from pane to pane", async () => {
  await fresh(section);
  const pane = () => page.evaluate(() => document.activeElement?.closest("[data-pane]")?.getAttribute("aria-label") ?? document.activeElement?.id);
  const seen = [];
  for (let i = 0; i < 4; i++) {
    await key("F6");
    seen.push(await pane());
  }
  assert.deepEqual(seen, ["The course", "Contents", "text", "Your sandbox"]);
  await key("Shift+F6");
  assert.equal(await pane(), "text");
});

test("the gauntlet: say it, mark it, read the answer, and see it again", async () => {
  await fresh("/os/gauntlet");
  await page.getByText(/\d+ new\./).waitFor();
  await shot(page, "gauntlet-overview");
  await page.getByRole("button", { name: "Begin" }).press("Enter");
  await shot(page, "gauntlet-question");
  await page.getByRole("button", { name: "Say it" }).press("Enter");
  await page.getByRole("timer").getByText("0:01").waitFor();
  await shot(page, "gauntlet-answering");
  assert.equal(await page.locator(".practice .model").count(), 0, "no answer before one's own");
  await page.getByRole("button", { name: "Done, mark it" }).press("Enter");
  const points = page.locator(".practice").getByRole("checkbox");
  const all = await points.count();
  for (const point of (await points.all()).slice(1)) await point.check();
  await shot(page, "gauntlet-marking");
  await accessible(page);
  await page.getByRole("button", { name: "Show the model answer" }).press("Enter");
  await page.getByText(`You said ${all - 1} of ${all} points.`).waitFor();
  await page.getByText("Again in 1 day, tomorrow.").waitFor();
  await shot(page, "gauntlet-answer", true);
  await accessible(page);
  await page.getByRole("button", { name: "Other day" }).press("Enter");
  const day = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel("Another day").fill(day);
  await page.getByText(/Again in [456] days/).waitFor();
  await page.getByRole("link", { name: "All questions" }).press("Enter");
  await page.getByLabel("Your interview is on").fill(new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10));
  await page.getByText(/^In (29|30) days\./).waitFor();
  await page.waitForFunction(() => JSON.parse(localStorage.getItem("gauntlet:os") ?? "{}").unsent?.length === 0);
  const kept = await (await context.request.get(at("/api/v1/modules/os/gauntlet"))).json();
  assert.equal(kept.marks.length, 1);
  assert.equal(kept.marks[0].due, day);
  assert.notEqual(kept.interview, "");
  const left = await page.locator(".standing tbody tr").count();
  for (let i = 1; i < left; i++) {
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("button", { name: "Write it" }).click();
    await page.getByLabel("Your answer").fill("All of it, in order.");
    await page.getByRole("button", { name: "Done, mark it" }).click();
    for (const point of await page.locator(".practice").getByRole("checkbox").all()) await point.check();
    await page.getByRole("button", { name: "Show the model answer" }).click();
    await page.getByRole("link", { name: "All questions" }).click();
  }
  await page.getByText(/^Nothing due\. Next: /).waitFor();
  await shot(page, "gauntlet-none-due");
});

test("a sandbox opens beside the text, and a run is typed into it", async () => {
  await fresh(section);
  const loaded = [];
  page.on("response", (answer) => loaded.push(answer.url()));
  const block = page.locator("article pre[data-run]").first();
  const line = ((await block.locator("code").textContent()) ?? "").trim();
  await block.getByRole("button").click();
  const typed = page.locator("sn-beside .xterm-rows > div").filter({ hasText: line }).first();
  await typed.waitFor({ timeout: 30_000 });
  assert.match(await typed.innerText(), /\$/, "it is typed at the prompt, and not before there is one");
  assert.ok(loaded.some((url) => url.includes("sandbox-panel")), "the terminal's code came when it was opened");
  await shot(page, "beside");
  await accessible(page);
  await page.locator("sn-beside").getByRole("button", { name: "Close" }).first().click();
  await page.getByRole("button", { name: "Open a sandbox here" }).waitFor();
});

test("reduced motion: nothing moves, the change has its outline", async () => {
  const still = await browser.newContext({ ...desk, reducedMotion: "reduce" });
  const quiet = await still.newPage();
  await quiet.goto(at(`${section}#crossing-step-5`));
  const outline = quiet.locator("#crossing .changed");
  await outline.waitFor();
  assert.deepEqual(await outline.evaluate((one) => [getComputedStyle(one).animationName, getComputedStyle(one).strokeWidth]), ["none", "2px"]);
  await still.close();
});

/** Every caption, row, question and answer of the page that can be read now. */
const readable = (on) =>
  on.evaluate(() => {
    const lists = [...document.querySelectorAll("sn-stepper > ol > li [data-part=caption]")];
    const rows = [...document.querySelectorAll("sn-answers > table td")];
    const words = [...document.querySelectorAll("sn-picture [data-part=words] > p:first-child")];
    const seen = (one) => one.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true });
    return { lists: lists.length, rows: rows.length, words: words.length, hidden: [...lists, ...rows, ...words].filter((one) => !seen(one)).map((one) => one.textContent.trim().slice(0, 40)) };
  });

test("in print steppers are lists, tables are whole, and pictures have their words", async () => {
  await fresh(section);
  await page.locator("sn-stepper .frame").first().waitFor();
  await page.emulateMedia({ media: "print" });
  const { hidden, ...counts } = await readable(page);
  assert.deepEqual(hidden, []);
  assert.ok(Object.values(counts).every((count) => count > 0), JSON.stringify(counts));
  assert.equal(await page.locator("sn-stepper .frame").first().isVisible(), false);
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)) <= 0, "nothing is cut off on paper");
  await shot(page, "section-print", true);
  await page.emulateMedia({ media: "screen" });
});

test("without script all is there to read", async () => {
  const bare = await browser.newContext({ ...desk, javaScriptEnabled: false });
  const plain = await bare.newPage();
  for (const path of ["/", "/os", section, "/os/gauntlet", "/os/terms"]) {
    const answer = await plain.goto(at(path));
    assert.equal(answer.status(), 200, path);
    assert.equal(await plain.locator(".scripted:visible").count(), 0, `${path} shows a control that needs script`);
  }
  await plain.goto(at(section));
  assert.equal(await plain.locator("sn-stepper > ol > li:visible").count(), 21);
  assert.ok((await plain.locator("sn-answers td:visible").count()) > 0);
  assert.ok((await plain.locator("sn-picture [data-part=words]:visible").count()) > 0);
  assert.ok((await plain.locator("sn-recall summary:visible").count()) === 3);
  await shot(plain, "section-no-script", true);
  await plain.goto(at("/os/gauntlet"));
  assert.ok((await plain.locator("[data-part=model]:visible").count()) > 0);
  await bare.close();
});

test("from 360 px to 4K nothing is wider than the window", async () => {
  for (const [width, height] of [[360, 740], [390, 844], [700, 900], [1100, 800], [1920, 1080], [3840, 2160]]) {
    await page.setViewportSize({ width, height });
    for (const path of ["/", "/os", section, "/os/gauntlet", "/os/terms", "/gallery"]) {
      await page.goto(at(path));
      await page.waitForLoadState("networkidle");
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wider <= 0, `${path} at ${width} px is ${wider} px too wide`);
    }
  }
  await page.setViewportSize(desk.viewport);
});

test("no violation of axe, light and dark, wide and narrow", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      for (const path of ["/", "/os", section, "/os/sections/the-machine", "/os/gauntlet", "/os/terms", "/gallery"]) {
        await page.goto(at(path));
        await page.waitForLoadState("networkidle");
        await accessible(page).catch((error) => assert.fail(`${path}, ${colorScheme}, ${width} px: ${error.message}`));
      }
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(desk.viewport);
});

test("the browser complained of nothing", () => {
  assert.deepEqual(faults.filter((fault) => !fault.includes("ERR_INTERNET_DISCONNECTED")), []);
});
