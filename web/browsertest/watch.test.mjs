// An author who writes a lab sees it in the page, which is read again by itself.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, desk, launch, shot } from "./browser.mjs";
import { binary, startServer } from "./server.mjs";

let folder, server, browser, page;
const file = (name) => join(folder, "course/labs/10-drafts", name);
const change = (name, from, to) => {
  const was = readFileSync(file(name), "utf8");
  assert.ok(was.includes(from), `${name} has no ${from}`);
  writeFileSync(file(name), was.replace(from, to));
};
const told = () => page.getByRole("status", { name: "What is broken in the labs" });

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "sysnerd-drafts-"));
  chmodSync(folder, 0o755); // the pages run as an ordinary user
  execFileSync(binary, ["lab", "new", "--labs", folder, "course/10-drafts"]);
  server = await startServer({}, ["--labs", folder, "--watch"]);
  browser = await launch();
  page = await browser.newPage(desk);
  await page.goto(`${server.url}/course/labs/drafts`);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

test("the page follows what is written, and the shell lives on", async () => {
  await page.locator("sn-terminal .xterm-rows").getByText("learner:~$").first().waitFor();
  await page.locator("sn-terminal textarea").first().focus();
  await page.keyboard.type("word=kept\n");
  change("lab.yaml", "Title of the lab", "Drafts of today");
  await page.getByRole("heading", { level: 1, name: "Drafts of today" }).waitFor();
  await page.locator("sn-terminal .xterm-rows").getByText("word=kept").first().waitFor();
  await page.locator("sn-terminal textarea").first().focus();
  await page.keyboard.type('echo "still $word"\n');
  await page.locator("sn-terminal .xterm-rows").getByText("still kept").first().waitFor();
});

test("what is broken is said, and the last good text stays", async () => {
  change("lab.yaml", "level: core", "levle: core");
  await told().waitFor();
  assert.match(await told().innerText(), /course\/labs\/10-drafts\/lab\.yaml:4 unknown key "levle"; the nearest valid key is "level"/);
  await page.getByRole("heading", { level: 1, name: "Drafts of today" }).waitFor();
  await accessible(page);
  await shot(page, "watch-broken");
  change("lab.yaml", "levle: core", "level: core");
  await told().waitFor({ state: "detached" });
});

test("what is written for a check is asked at the next check", async () => {
  await page.evaluate(() => (window.before = true));
  change("tasks/10-first/check.sh", "fail 'Say what is the case, in 20 words at most.'", "fail 'The new check speaks.'");
  await page.waitForFunction(() => !window.before && document.querySelector("sn-terminal .xterm-rows")?.textContent?.includes("learner"));
  await page.locator("sn-task").getByRole("button", { name: "Check", exact: false }).first().click();
  await page.getByText("The new check speaks.").first().waitFor();
});
