// Every page of the real course: accessible in both themes, walked by keyboard alone, a
// prediction before what it is about, and photographed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, desk, launch, shot } from "./browser.mjs";
import { coursePages, startServer } from "./server.mjs";

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

test("no page of the course violates a rule of axe, light or dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const page = await browser.newPage({ ...desk, colorScheme });
    for (const path of paths) {
      await page.goto(server.url + path, { waitUntil: "networkidle" });
      await accessible(page).catch((error) => assert.fail(`${path}, ${colorScheme}: ${error.message}`));
    }
    await page.close();
  }
});

test("every stepper and every table of the course is walked by keyboard alone", async () => {
  const page = await browser.newPage(desk);
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const walked = { steps: 0, rows: 0 };
  for (const path of paths.filter((path) => path.includes("/sections/"))) {
    await page.goto(server.url + path);
    await page.locator("sn-answers[data-ready]").last().waitFor({ state: "attached" });
    for (const table of await page.locator("sn-answers").all()) {
      const rows = table.locator(".grid > button");
      const all = await rows.count();
      await rows.first().focus();
      for (let row = 0; row < all; row++) {
        assert.equal(await rows.nth(row).getAttribute("aria-expanded"), "true", `${path}: row ${row + 1} is closed`);
        assert.equal(await table.locator(".panel[data-open]").isVisible(), true);
        await press("ArrowDown");
      }
      walked.rows += all;
    }
    for (const stepper of await page.locator("sn-stepper[data-ready]").all()) {
      const last = await stepper.locator(".marks a").count();
      const caption = stepper.locator(".text-of[data-now] .caption");
      await stepper.getByRole("button", { name: "Next", exact: true }).focus();
      for (let step = 1; step <= last; step++) {
        await stepper.locator(".count").getByText(`${step} of ${last}, `).waitFor();
        if ((await stepper.locator(".text-of[data-asks]").count()) > 0) {
          assert.equal(await caption.isVisible(), false, `${path}: step ${step} tells before it is answered`);
          await press("ArrowRight", "Enter"); // to the question; its first option
        }
        assert.equal(await caption.isVisible(), true, `${path}: step ${step} tells nothing`);
        await press("ArrowRight");
      }
      walked.steps += last;
    }
  }
  assert.ok(walked.steps >= 23 && walked.rows > 100, JSON.stringify(walked));
  await page.close();
});

test("what a run printed is shown after its prediction", async () => {
  const page = await browser.newPage(desk);
  const hooks = [];
  for (const path of paths.filter((path) => path.includes("/sections/"))) {
    await page.goto(server.url + path);
    const printed = page.locator("article > sn-predict:first-of-type + pre[data-run] + pre > code");
    if ((await printed.count()) === 0) continue;
    hooks.push(path);
    assert.equal(await printed.isVisible(), false, path);
    await page.locator("sn-predict").first().getByRole("button", { name: "Show me" }).press("Enter");
    assert.equal(await printed.isVisible(), true, path);
  }
  assert.ok(hooks.length >= 10, hooks.join(", "));
  await page.close();
});

test("the course is photographed: wide, narrow, dark, printed", async () => {
  const looks = { light: {}, dark: { colorScheme: "dark" }, phone: { viewport: { width: 390, height: 844 }, hasTouch: true } };
  for (const [look, options] of Object.entries(looks)) {
    const context = await browser.newContext({ ...desk, ...options });
    const page = await context.newPage();
    for (const path of paths) {
      await page.goto(server.url + path, { waitUntil: "networkidle" });
      await shot(page, `course-${path.split("/").filter(Boolean).at(-1) ?? "home"}-${look}`, path === "/");
    }
    await context.close();
  }
  const page = await browser.newPage(desk);
  await page.goto(server.url + paths.find((path) => path.includes("virtual-memory")));
  await page.emulateMedia({ media: "print" });
  await shot(page, "course-print", true);
  await page.close();
});
