// Every lab of the course as a new learner takes it, in a real browser and in real
// sandboxes: he predicts, tries what is not it yet, types what is, says why. Then
// what a task looks like when its check breaks, or is cut short.
// The tests share one learner and run in order.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { accessible, desk, launch, shot } from "./browser.mjs";
import { enter, lines, prompted, sees } from "./screen.mjs";
import { startServer } from "./server.mjs";

const phone = { width: 390, height: 844 };
const course = fileURLToPath(new URL("../../labs/operating-systems/labs/", import.meta.url));
const unnumbered = (name) => name.replace(/^\d+-/, "");
const folders = (path) => readdirSync(path).filter((name) => /^\d+-/.test(name)).sort();

/** The course as it stands in its files. */
const labs = new Map(
  folders(course).map((folder) => [
    unnumbered(folder),
    folders(`${course}${folder}/tasks`).map((name) => {
      const file = (path) => readFileSync(`${course}${folder}/tasks/${name}/${path}`, "utf8");
      const front = file("task.md").split("---\n")[1];
      const predict = /^predict:\n((?: .*\n)+)/m.exec(front)?.[1];
      const plain = (text) => text?.replace(/^"(.*)"$/, "$1").replaceAll("`", "");
      return {
        id: unnumbered(name),
        title: plain(/^title: (.*)$/m.exec(front)[1]),
        hints: front.slice(front.indexOf("\nhints:")).match(/^ {2}- .*$/gm).length,
        options: predict?.match(/^ {4}- .*$/gm).map((line) => plain(line.slice(6))),
        outcome: plain(/^ {2}answer: (.*)$/m.exec(predict ?? "")?.[1]),
        solve: typed(file("solve.sh")),
        wrong: (attempt) => {
          const text = file(`wrong/${attempt}.sh`);
          return { message: plain(/^# (.*)$/m.exec(text)[1]), lines: typed(text) };
        },
      };
    }),
  ]),
);

/** What a script has typed: its lines, but comments; "#@ " is something else that a learner does. */
function typed(script) {
  return script.split("\n").filter((line) => line !== "" && !/^#(?!@)/.test(line));
}

let server, odd, browser, context, page;
const faults = [];

before(async () => {
  server = await startServer();
  browser = await launch();
  context = await browser.newContext(desk);
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  watch(page);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await odd?.stop();
});

function watch(one) {
  one.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  one.on("pageerror", (error) => faults.push(String(error)));
}

const element = (id) => page.locator(`#task-${id}`);
const verdict = (id) => element(id).locator(".verdict");
const press = (id, name) => element(id).getByRole("button", { name, exact: true }).click();

/** Waits for a task's heading to say its state, as a screen reader reads it. */
async function says(task, state) {
  const heading = page.getByRole("heading", { level: 3, name: `${task.title} ${state}`, exact: true });
  await heading.waitFor().catch(async () => {
    const shown = [await element(task.id).locator("h3").innerText(), await verdict(task.id).innerText(), ...(await lines(page))];
    assert.fail(`${task.id} never said "${state}":\n${shown.join("\n").trimEnd()}`);
  });
}

/** Types lines, each when the one before has ended; moves the limit where the script says so. */
async function types(script) {
  for (const line of script) {
    const limit = /^#@ memory (\d+) MiB$/.exec(line)?.[1];
    if (limit) {
      await page.getByRole("combobox", { name: "Limit" }).selectOption(String(limit * 1048576));
      await page.locator("sn-wall .limit text", { hasText: new RegExp(`^${limit}.MiB, the wall$`) }).waitFor();
      continue;
    }
    assert.doesNotMatch(line, /^#@/, "this test cannot do that move");
    await wipe();
    await page.keyboard.type(line);
    await page.keyboard.press("Enter");
    await sees(page, /\nlearner:\S*\$/, 30_000); // a prompt; a job may print behind it
  }
}

/** Leaves a prompt alone on the screen, also when a job has just printed behind it. */
async function wipe() {
  for (let tries = 5; ; tries--) {
    await enter(page);
    await page.keyboard.press("Control+l");
    try {
      return await sees(page, /^[^\n]*\$ *\n*$/, 2_000);
    } catch (fault) {
      if (tries === 1) throw fault;
    }
  }
}

async function open(lab) {
  await page.goto(`${server.url}/operating-systems/labs/${lab}`);
  await prompted(page);
}

/** Says something before the outcome is known. */
async function predict(task, choice) {
  const form = element(task.id);
  await form.getByRole("radio", { name: choice, exact: true }).check();
  await press(task.id, "Say it");
  await form.getByText(`You said ${choice}. Now run it.`).waitFor();
  await says(task, "predicted");
}

/** Tries what is not it yet; the page says why, with all that VOICE asks of it. */
async function fails(task, attempt) {
  const wrong = task.wrong(attempt);
  await types(wrong.lines);
  await says(task, "not yet");
  await verdict(task.id).getByText(wrong.message, { exact: true }).first().waitFor();
  for (const name of ["Expected", "Observed", "Evidence", "Hint"]) {
    await verdict(task.id).getByText(name, { exact: true }).waitFor();
  }
}

/** Waits for the pass, and reads how the prediction compares. */
async function passes(task, choice) {
  await says(task, "passed");
  assert.notEqual(await verdict(task.id).locator(".message").innerText(), "");
  if (!choice) return;
  const said = await verdict(task.id).locator(".said").innerText();
  if (task.outcome) {
    assert.equal(said, choice === task.outcome ? `You said ${choice}, and it was.` : `You said ${choice}, it was ${task.outcome}.`);
  } else {
    assert.ok(/^You said .+, (it was .+|and it was)\.$/.test(said), said); // the check told it
  }
}

async function reset() {
  await page.getByRole("button", { name: "Reset", exact: true }).click();
  await page.getByRole("button", { name: "Reset it" }).click();
  await page.getByText("The sandbox is as new.").waitFor();
  await prompted(page);
}

/** A task in a state: no fault for axe and a picture, in both themes and widths. */
async function portrait(name, id) {
  const into = () =>
    element(id).evaluate((task) => {
      const told = task.querySelector(".verdict");
      if (told?.textContent) told.scrollIntoView({ block: "center" });
      else task.scrollIntoView();
    });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await into();
    await accessible(page);
    await shot(page, `task-${name}-${colorScheme}`);
    await page.setViewportSize(phone);
    await into();
    await shot(page, `task-${name}-phone-${colorScheme}`);
    await page.setViewportSize(desk.viewport);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

test("a new learner has no record yet", async () => {
  await page.goto(server.url);
  await page.getByRole("link", { name: "Progress" }).click();
  const all = [...labs.values()].flat().length;
  await page.getByText(`0 of ${all} tasks passed.`).waitFor();
  assert.equal(await page.getByText("Not begun").count(), labs.size);
  await accessible(page);
  await shot(page, "progress-empty", true);
});

test("syscall-boundary: hints, reasons, why, sources", async () => {
  const [tally, path, batching] = labs.get("syscall-boundary");
  await open("syscall-boundary");
  await says(tally, "open");
  assert.equal(await verdict(tally.id).isVisible(), false, "nothing is judged before a try");
  await portrait("open", tally.id);

  // The server says when the next hint opens: after a new try, here.
  await press(tally.id, "Next hint");
  await element(tally.id).getByRole("listitem").nth(0).waitFor();
  await element(tally.id).getByRole("button", { name: "Next hint", disabled: true }).focus();
  await page.keyboard.press("Enter"); // it is drawn as shut, and says why
  await element(tally.id).getByText(/^The next hint opens after a new try, or in \d+ s\.$/).waitFor();
  assert.equal(await element(tally.id).locator(".hints li").count(), 1);
  await fails(tally, "no-tally");
  await press(tally.id, "Next hint");
  await element(tally.id).locator(".hints li").nth(1).waitFor();
  await fails(tally, "failed");
  await press(tally.id, "Next hint");
  await element(tally.id).locator(".hints li").nth(2).waitFor();
  assert.equal(await element(tally.id).locator(".hints li").count(), tally.hints);
  assert.equal(await element(tally.id).getByRole("button", { name: "Next hint" }).count(), 0, "none is left");

  // What earlier tries were told is folded, and still there after a reload.
  const first = tally.wrong("no-tally").message;
  for (const again of [false, true]) {
    if (again) await page.reload();
    await says(tally, "not yet");
    await element(tally.id).getByText(/^Before: \d+$/).click();
    await element(tally.id).getByRole("listitem").filter({ hasText: first }).waitFor();
  }
  await prompted(page);
  await portrait("not-yet", tally.id);

  await types(tally.solve);
  await passes(tally);
  await portrait("passed", tally.id);
  await element(tally.id).getByLabel("Why did it work?").fill("The kernel counts, and strace prints.");
  await page.keyboard.press("Enter");
  await element(tally.id).getByText("The author").waitFor();
  await element(tally.id).getByText("The kernel counts, and strace prints.").waitFor();
  await portrait("why", tally.id);

  await types(path.solve);
  await passes(path);
  await element(path.id).getByLabel("Why did it work?").waitFor();
  // The source of what ran: by the keyboard, in place, to copy.
  await element(path.id).getByText("mystery.c").focus();
  await page.keyboard.press("Enter");
  const source = element(path.id).getByRole("region", { name: "mystery.c" });
  await source.waitFor();
  assert.match(await source.innerText(), /#include <.*int main\(/s);
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
  await press(path.id, "Copy mystery.c");
  await element(path.id).getByText("Copied.").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await source.locator("code").textContent());
  await portrait("source", path.id);

  // This answer goes into the field of the page.
  await predict(batching, "gulp");
  await portrait("predicted", batching.id);
  await types([`echo "it made $(strace -e trace=write drip 2>&1 >/dev/null | grep -c '^write(1,') calls"`]);
  const [, calls] = /^it made (\d+) calls$/m.exec((await lines(page)).join("\n"));
  await element(batching.id).getByLabel("Your answer").fill(calls);
  await press(batching.id, "Answer");
  await passes(batching, "gulp");
});

test("fork-exec-tree: a child, an orphan, a zombie", async () => {
  const [child, orphan, zombie] = labs.get("fork-exec-tree");
  await open("fork-exec-tree");
  await predict(child, child.options[0]);
  await fails(child, "foreground");
  await types(child.solve);
  await passes(child, child.options[0]);
  await predict(orphan, orphan.options[0]);
  await types(orphan.solve);
  await passes(orphan, orphan.options[0]);
  await reset(); // its job shall be the first
  await predict(zombie, zombie.options[0]);
  await types(zombie.solve);
  await passes(zombie, zombie.options[0]);
});

test("address-space: a heap, five addresses, a fault", async () => {
  const [landmarks, whose, fault] = labs.get("address-space");
  await open("address-space");
  await predict(landmarks, "no");
  await types(landmarks.solve);
  await passes(landmarks, "no");
  await predict(whose, "heap");
  await types(whose.solve);
  await passes(whose, "heap");
  await predict(fault, "11");
  await fails(fault, "null");
  await types(fault.solve);
  await passes(fault, "11");
});

test("socket-is-fd: what must be true at the moment is shown when it is no longer", async () => {
  const [three, socket, deleted] = labs.get("socket-is-fd");
  await open("socket-is-fd");
  await fails(three, "copy");
  await types(three.solve);
  await passes(three);
  await types(["exec 3<&-"]);
  await says(three, "not yet");
  await element(three.id).getByText("Passed before. It counts while it is true.").waitFor();
  await element(three.id).getByRole("button", { name: "Check" }).waitFor();
  await portrait("no-longer", three.id);
  await types(three.solve);
  await passes(three);
  for (const task of [socket, deleted]) {
    const choice = task.options?.[0];
    if (choice) await predict(task, choice);
    await types(task.solve);
    await passes(task, choice);
  }
});

test("vsz-rss: passed with the solution shown", async () => {
  const [gap, promise, count] = labs.get("vsz-rss");
  await open("vsz-rss");
  await fails(gap, "shell");
  await press(gap.id, "Show solution");
  await element(gap.id).getByText("Show it? It is counted.").waitFor();
  await press(gap.id, "Not now");
  await press(gap.id, "Show solution");
  await press(gap.id, "Show it");
  await element(gap.id).getByText("Solution shown. Run it, then say in one line why it works.").waitFor();
  await says(gap, "not yet");
  await types(gap.solve);
  await says(gap, "passed, solution shown");
  await verdict(gap.id).getByText("Passed with the solution shown. It comes back in the gauntlet.").waitFor();
  await element(gap.id).getByLabel("Why did it work?").waitFor();
  await portrait("revealed", gap.id);
  for (const task of [promise, count]) {
    const choice = task.options?.[0];
    if (choice) await predict(task, choice);
    await types(task.solve);
    await passes(task, choice);
  }
});

test("too-many-open-files: the limit, a leak, its end", async () => {
  const [cap, leak, fix] = labs.get("too-many-open-files");
  await open("too-many-open-files");
  await predict(cap, cap.options[1]);
  await types(cap.solve);
  await passes(cap, cap.options[1]);
  await reset(); // out of the shell that may open nothing more
  await fails(leak, "only-the-kind");
  await types(leak.solve);
  await passes(leak);
  await reset();
  await predict(fix, fix.options[0]);
  await types(fix.solve);
  await passes(fix, fix.options[0]);
});

test("oom-wall: before, at and after the kill, and the limit moved by the page", async () => {
  const [wall, hit, victim, move] = labs.get("oom-wall");
  await open("oom-wall");
  await says(victim, "locked");
  await element(victim.id).getByText(`Opens after ${hit.title}.`).waitFor();
  await portrait("locked", victim.id);
  await portraits("before");
  await predict(wall, wall.options[0]);
  await types(wall.solve);
  await passes(wall, wall.options[0]);
  await predict(hit, "9");
  await fails(hit, "small");
  await types(hit.solve);
  await page.locator('sn-wall[data-state="killed"]').waitFor();
  await portraits("at");
  await passes(hit, "9");
  await says(victim, "open");
  await page.locator('sn-wall[data-state="after"]').waitFor();
  await portraits("after");
  await predict(victim, victim.options[0]);
  await types(victim.solve);
  await passes(victim, victim.options[0]);
  await predict(move, move.options[1]);
  await types(["pkill important"]); // the wall counts it too
  await types(move.solve);
  await passes(move, move.options[1]);
});

/** The drawing of the memory in both themes and widths. */
async function portraits(name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const [width, of] of [[desk.viewport, ""], [phone, "-phone"]]) {
      await page.setViewportSize(width);
      await page.locator("sn-wall").scrollIntoViewIfNeeded();
      await shot(page, `oom-${name}${of}-${colorScheme}`);
    }
  }
  await page.setViewportSize(desk.viewport);
  await page.emulateMedia({ colorScheme: "light" });
}

test("the record has it all", async () => {
  await page.getByRole("link", { name: "Your progress in all labs" }).click();
  const all = [...labs.values()].flat().length;
  await page.getByText(`${all} of ${all} tasks passed.`).waitFor();
  await page.getByText("You said 9, it was 137.").waitFor();
  await page.getByText("Why it worked, in your words: The kernel counts, and strace prints.").waitFor();
  await page.getByText("shown, comes back in the gauntlet").waitFor();
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await accessible(page);
    await shot(page, `progress-${colorScheme}`, true);
    await page.setViewportSize(phone);
    await accessible(page);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), phone.width, "nothing sticks out");
    await shot(page, `progress-phone-${colorScheme}`, true);
    await page.setViewportSize(desk.viewport);
  }
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await shot(page, "progress-print", true);
  await page.emulateMedia({ media: "screen", colorScheme: "light" });
});

test("a check that broke says so in ink, and what was told before comes back", async () => {
  odd = await startServer({ SYSNERD_LABS: fileURLToPath(new URL("testdata/labs", import.meta.url)) });
  await page.goto(`${odd.url}/os/labs/checks`);
  await prompted(page);
  const task = { id: "odd", title: "A check that breaks" };
  await press(task.id, "Check");
  await says(task, "not yet");
  await types(["touch ~/broken"]);
  await says(task, "check broke");
  await verdict(task.id)
    .getByText(/^This check broke\. That is our fault; your work is untouched\. The next command checks again\. Reference [0-9A-F]+\.$/)
    .waitFor();
  const colours = await element(task.id).evaluate((one) => {
    const of = (what) => getComputedStyle(what).color;
    return [of(one.querySelector(".state")), of(one.querySelector(".glyph")), of(one.querySelector(".message"))];
  });
  const ink = await page.evaluate(() => getComputedStyle(document.body).color);
  assert.deepEqual(colours.slice(1), [ink, ink]);
  await portrait("broken", task.id);
  await types(["rm ~/broken"]);
  await says(task, "not yet");
  await verdict(task.id).getByText("There is no file right yet.").waitFor();
  await types(["touch ~/right"]);
  await passes(task);
});

test("a check that was cut short says nothing of the learner", async () => {
  const task = { id: "slow", title: "A check that takes long" };
  const asked = page.waitForRequest((request) => request.url().endsWith("/check"));
  await press(task.id, "Check");
  await asked;
  await reset();
  await element(task.id)
    .getByText("The sandbox changed, or did not answer, while the check looked. So it says nothing.")
    .waitFor();
  await says(task, "open");
  await portrait("interrupted", task.id);
});

test("the browser had nothing to complain of, but what the server refused", () => {
  // A hint too early, and the check that was cut short.
  assert.deepEqual(
    faults.filter((fault) => !/status of (409|503)/.test(fault)),
    [],
  );
});
