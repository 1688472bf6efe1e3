// The network goes away, for a while and for long, while vim fills the screen; and
// what came meanwhile was typed by somebody else.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { desk, lab, launch, shot } from "./browser.mjs";
import { Oracle } from "./oracle.mjs";
import { clear, enter, lines, prompted, run, sees, type } from "./screen.mjs";
import { startServer } from "./server.mjs";

let server, browser, context, page, oracle;

before(async () => {
  server = await startServer();
  browser = await launch();
  context = await browser.newContext(desk);
  page = await context.newPage();
  const claimed = page.waitForResponse((answer) => answer.url().endsWith("/api/v1/sandboxes"));
  await page.goto(server.url + lab);
  const { id } = await (await claimed).json();
  await prompted(page);
  await run(page, "stty size", /^\d+ \d+$/m);
  const [rows, cols] = /^(\d+) (\d+)$/m.exec((await lines(page)).join("\n")).slice(1).map(Number);
  oracle = await Oracle.watch(browser, context, server, id, { cols, rows });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const lost = () => page.getByText(/^Connection lost\. Your shell runs on\. Next try in \d+ s\.$/).waitFor();

test("a page and an oracle see the same", async () => {
  await clear(page);
  await oracle.agrees(page);
});

for (const seconds of [5, 30]) {
  test(`${seconds} s without network in vim: nothing is lost`, async () => {
    await clear(page);
    await type(page, "vim words");
    await sees(page, /^~$/m);
    await page.keyboard.type("ibefore the cut");
    await sees(page, /^before the cut/m);
    await context.setOffline(true);
    const back = pause(seconds * 1000);
    await lost();
    await oracle.take();
    await oracle.type("\r", "typed ", "elsewhere\r", "\x1b", "yyp", "o", `after ${seconds} s`);
    if (seconds === 30) await shot(page, "lab-offline");
    await back; // how long it lasts is what is tested
    assert.doesNotMatch((await lines(page)).join("\n"), /elsewhere/);
    await context.setOffline(false);
    await page.getByText("Back. Nothing was lost.").waitFor({ timeout: 2000 });
    await sees(page, new RegExp(`^after ${seconds} s$`, "m"));
    await oracle.agrees(page);
    await enter(page);
    await page.keyboard.type(" and here again");
    await sees(page, /^after \d+ s and here again$/m);
    await page.keyboard.press("Escape");
    await page.keyboard.type(":q!");
    await page.keyboard.press("Enter");
    await prompted(page);
    await oracle.agrees(page);
  });
}

test("away for longer than is kept, in vim: what went by is counted, the screen is right", async () => {
  await run(page, "seq -f 'line %g of a long file with many words in each of its lines' 200 > long");
  await type(page, "vim long");
  await sees(page, /^line 1 of/m);
  await context.setOffline(true);
  await lost();
  await oracle.take();
  await oracle.flood(600 << 10, "\x0c"); // Ctrl-L: vim paints all again
  await oracle.type("50G", "dd");
  await context.setOffline(false);
  await page.getByText(/^Back\. [\d,]+ KiB went by\.$/).waitFor();
  await oracle.agrees(page);
  await shot(page, "lab-went-by");
  await enter(page);
  await page.keyboard.type(":q!");
  await page.keyboard.press("Enter");
  await prompted(page);
  await run(page, "echo mine again", /^mine again$/m);
});

test("a reload in vim, whose beginning is not kept any more: the screen is right within 2 s", async () => {
  await type(page, "vim long");
  await sees(page, /^line 1 of/m);
  await oracle.take();
  await oracle.flood(400 << 10, "jk".repeat(50)); // the cursor moves: nothing else is painted
  await page.reload();
  await page.locator("sn-terminal .xterm-rows").waitFor();
  await oracle.agrees(page, 2000);
  await page.getByRole("button", { name: "Type here" }).click();
  await page.keyboard.type(":q!");
  await page.keyboard.press("Enter");
  await prompted(page);
  await run(page, "echo $((6 * 7))", /^42$/m);
});

test("a line that swallows everything is noticed, without a word from the browser", async () => {
  let swallow = false;
  const ends = new Set();
  const hole = createServer((near) => {
    const far = connect(own.port, "127.0.0.1");
    for (const [from, to] of [[near, far], [far, near]]) {
      ends.add(from);
      from.on("data", (bytes) => swallow || to.write(bytes));
      from.on("end", () => swallow || to.end());
      from.on("error", () => to.destroy());
    }
  });
  hole.listen(0, "127.0.0.1");
  await once(hole, "listening");
  const address = `http://127.0.0.1:${hole.address().port}`;
  const own = await startServer({ SYSNERD_URL: address });
  const apart = await browser.newContext(desk);
  try {
    const far = await apart.newPage();
    await far.goto(address + lab);
    await prompted(far);
    await run(far, "mine=4711");
    swallow = true;
    await far.keyboard.type("into the hole");
    await far.getByText(/^Connection lost\. Your shell runs on\./).waitFor({ timeout: 12_000 });
    swallow = false;
    await far.getByText("Back. Nothing was lost.").waitFor({ timeout: 20_000 });
    // The server takes the old connection for alive, and for the writer's.
    await far.getByText("Open in another tab; you are watching.").waitFor({ state: "detached" });
    await run(far, "echo still $mine", /^still 4711$/m);
  } finally {
    await apart.close();
    for (const end of ends) end.destroy();
    hole.close();
    await own.stop();
  }
});

test("Enter tries again at once", async () => {
  await clear(page);
  await context.setOffline(true);
  await page.getByText(/Next try in [4-9] s\.$/).waitFor({ timeout: 15_000 });
  // The network is there again, and nobody told the page.
  await page.evaluate(() => window.addEventListener("online", (event) => event.stopImmediatePropagation(), true));
  await context.setOffline(false);
  await enter(page);
  await page.keyboard.press("Enter");
  await page.getByText("Back. Nothing was lost.").waitFor({ timeout: 1500 });
  await run(page, "echo here", /^here$/m);
});
