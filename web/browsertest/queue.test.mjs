// More learners than sandboxes: each knows his place, and is let in without a click.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, desk, lab, launch, shot } from "./browser.mjs";
import { prompted, run } from "./screen.mjs";
import { startServer } from "./server.mjs";

let server, browser;

before(async () => {
  server = await startServer({ SYSNERD_SANDBOX_CAPACITY: "1" });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const arrive = async () => {
  const page = await (await browser.newContext(desk)).newPage();
  const claimed = page.waitForResponse((answer) => answer.url().endsWith("/api/v1/sandboxes"));
  await page.goto(server.url + lab);
  return { page, answer: await (await claimed).json() };
};
const place = (page, which) =>
  page.getByText(new RegExp(`^The one sandbox is in use\\. You are ${which}, about .+\\. Your place is kept\\.$`)).waitFor();
const give = ({ page, answer }) => page.evaluate((id) => fetch(`/api/v1/sandboxes/${id}`, { method: "DELETE" }), answer.id);

test("a place in the queue moves by itself, and leads in", async () => {
  const first = await arrive();
  await prompted(first.page);
  const second = await arrive();
  await place(second.page, "1st");
  const third = await arrive();
  await place(third.page, "2nd");
  await shot(third.page, "lab-queue");
  await accessible(third.page);
  await third.page.getByRole("button", { name: "Read on" }).click();
  await third.page.waitForFunction(() => document.activeElement?.id === "text");

  await give(first);
  await second.page.getByText("It is your turn: here is your sandbox.").waitFor({ timeout: 10_000 });
  await run(second.page, "echo in", /^in$/m);
  await place(third.page, "1st");
  assert.equal(await third.page.evaluate(() => document.activeElement?.id), "text", "the focus stays with the text");

  // Who comes back keeps the order: the first one is now behind the third.
  await first.page.getByRole("button", { name: "Start a new one" }).click();
  await place(first.page, "2nd");
});
