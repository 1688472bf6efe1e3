// The redraw after a gap (sandbox/redraw) against another terminal: recordings of real
// programs are cut anywhere, and a terminal that gets the redraw and the rest must
// become the one that got everything.
//
// What can't be equal is what was painted before the cut and not since. So screens are
// compared where the whole screen was painted after the cut: behind a screenful of
// lines, and behind the repaint of a full-screen program whose size changed, which is
// what the server sees to. Modes must be equal at the cut itself.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import headless from "@xterm/headless";
import esbuild from "../ui/node_modules/esbuild/lib/main.js"; // the UI is built with it

const root = fileURLToPath(new URL("../..", import.meta.url));
const testdata = new URL("../../sandbox/redraw/testdata/", import.meta.url);
const recordings = JSON.parse(readFileSync(new URL("recordings.json", testdata), "utf8"));
const streamOf = (name) => new Uint8Array(readFileSync(new URL(`${name}.stream`, testdata)));

/** Random numbers, the same each time. */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const built = mkdtempSync(join(tmpdir(), "sysnerd-redraw-"));
execFileSync("go", ["build", "-o", built, "./sandbox/redraw/cut"], { cwd: root });
after(() => rmSync(built, { recursive: true }));

/** The prefixes of a stream, as the server makes them; each cut is [offset, rows]. */
function prefixes(stream, cuts) {
  const args = cuts.map(([at, rows]) => `${at}:${rows}`);
  const told = execFileSync(join(built, "cut"), args, { input: stream, maxBuffer: 64 << 20 });
  return JSON.parse(told).map((text) => new Uint8Array(Buffer.from(text, "base64")));
}

/** All at once: xterm.js spends most of its time waiting for its turn. */
const every = (list, each) => Promise.all(list.map(each));

async function terminal({ cols, rows }, ...chunks) {
  const term = new headless.Terminal({ cols, rows, scrollback: 1000, allowProposedApi: true, logLevel: "off" });
  for (const chunk of chunks) await write(term, chunk);
  return term;
}

const write = (term, bytes) => new Promise((done) => term.write(bytes, done));

/** What is in a cell, and how it looks. */
function cell(c) {
  const flags = [c.isBold(), c.isItalic(), c.isDim(), c.isUnderline(), c.isBlink(), c.isInverse(), c.isInvisible(), c.isStrikethrough(), c.isOverline()];
  const colours = [c.getFgColorMode(), c.getFgColor(), c.getBgColorMode(), c.getBgColor()];
  return `${c.getChars() || " "}|${c.getWidth()}|${flags.map(Number).join("")}|${colours}`;
}

/** The screen as it is seen, cell by cell. */
function screen(term) {
  const buffer = term.buffer.active;
  const rows = [];
  for (let y = 0; y < term.rows; y++) {
    const line = buffer.getLine(buffer.baseY + y);
    rows.push(Array.from({ length: term.cols }, (_, x) => cell(line.getCell(x))).join(" "));
  }
  return { type: buffer.type, x: buffer.cursorX, y: buffer.cursorY, rows };
}

const asked = [1, 6, 7, 9, 12, 25, 45, 66, 1000, 1002, 1003, 1004, 1006, 1016, 1047, 2004, 2026];

/**
 * Everything that is in force, found by asking and by printing. `last` ends what the
 * stream is in the middle of, which both terminals must be in alike.
 */
async function inForce(term, last) {
  await write(term, last);
  let answers = "";
  const listening = term.onData((data) => (answers += data));
  await write(term, "\x1b[1;1H" + "q\x0eq\x0f\x1bnq\x1boq\x0f"); // the character sets
  const line = term.buffer.active.getLine(term.buffer.active.baseY + term.buffer.active.cursorY);
  const printed = Array.from({ length: 4 }, (_, x) => cell(line.getCell(x)));
  await write(term, asked.map((n) => `\x1b[?${n}$p`).join("") + "\x1b[4$p\x1b[20$p\x1bP$qr\x1b\\\x1bP$q q\x1b\\\x1b[6n");
  listening.dispose();
  return { modes: { ...term.modes }, type: term.buffer.active.type, printed, answers };
}

/** Compares what is in force at cuts between who saw everything and who gets a redraw. */
async function sameModes(size, stream, cuts) {
  const prefix = prefixes(stream, cuts.map((at) => [at, 0]));
  await every(cuts, async (at, i) => {
    const all = await terminal(size, stream.subarray(0, at));
    // Who is in the alternate screen already keeps what was saved for the normal one.
    const screen = all.buffer.active.type === "normal" ? "\x1b[?1049h" : "";
    const late = await terminal(size, screen + "\x1b[3;7r\x1b[1;45m\x1b(0\x1b[?1002;1006;25h\x1b]0;x", prefix[i]);
    // What the rest of a sequence does shows that both are in the same one.
    const rest = Uint8Array.of(...stream.subarray(at, at + 12), 0x18);
    const want = await inForce(all, rest);
    const got = await inForce(late, rest);
    assert.deepEqual(got, want, `cut at ${at}, after ${JSON.stringify(Buffer.from(stream.subarray(Math.max(0, at - 30), at)).toString())}`);
  });
}

test("redraw: every mode there is, cut at every byte", async () => {
  const sets = ["0", "A", "4", "C", "5", "R", "Q", "K", "Y", "E", "6", "Z", "H", "7", "=", "B", "U"];
  const looks = [
    "1", "2", "3", "4", "5", "7", "8", "9", "53", "21", "22", "23", "24", "25", "27", "28", "29", "55", "4:3", "4:0", "4:9", "1;2;3;4", "",
    "31", "97", "39", "42", "103", "49", "38;5;200", "48;5;3", "38;2;1;2;3", "48:2::4:5:6", "38:2:7:8:9", "38:5:17", "38;5", "38;2;1", "38;9;1;31", "58;5;9;1", "0;31;1",
    "38;2;1;2;3;48;5;7;1", "38;5;300", "999", ";;7", "1;" + "0;".repeat(40) + "4", "38:5", "58:2::1:2:3;59", "5;38:2:1:2:3;4", "?4", ">4;2", "1 ", "100",
  ];
  const text = [
    ...asked.flatMap((n) => [`\x1b[?${n}h`, "x", `\x1b[?${n}l`]),
    "\x1b[?1;6;1000;1006;2004h\x1b[4;20h\x1b=\x1b[?7;25l\x1b[!p\x1b[?1000;1006l\x1b[20l",
    "\x1b[?1003h\x1b[?1016h\x1b[?1006l\x1b[?1000l\x1b[4h\x1b[4l\x1b[20h\x1b[20l\x1b=\x1b>",
    "\x1b[5;10r\x1b[?6hx\x1b[?6l\x1b[r\x1b[7r\x1b[9;3r\x1b[0;0r\x1b[3;99r\x1b[r",
    ...sets.map((set) => `\x1b(${set}x\x1b)${set}\x0ex\x0f\x1b*${set}\x1b+${set}\x1bnx\x1box\x0f`),
    "\x1b(0\x1b%G\x1b-A\x1b.0\x1b/0\x1b~x\x1b}x\x1b|x\x0f\x1b[?2h",
    ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => `\x1b[${n} q`), "\x1b[ q",
    ...looks.map((look) => `\x1b[${look}m`),
    "\x1b[m\x1b[1;31m\x1b7\x1b[0;42m\x1b8\x1b[s\x1b[m\x1b[u\x1b[?1048h\x1b[7m\x1b[?1048l\x1b[m",
    "\x1b[32m\x1b[?1049h\x1b[5;9r\x1b[44m\x1b[?1049l\x1b[?47h\x1b[?47l\x1b[?1047h\x1b[?1047l\x1b[m",
    "\x1b[31m\x1b[?1049h\x1b[m\x1b[?1049h\x1b[1m\x1b[?1049l",
    "\xc2\x9b1;33m\xc2\x9d0;t\xc2\x9c\xc2\x90$qm\xc2\x9c\xc2\x85\xc2\xa0\xe2\x82\xac\xf0\x9f\x99\x82\xff\xc3\xe2\x82x",
    "\x1b[3\r1m\x1b[3\x7f2m\x1b[1<m\x1b[1 1m\x1b[3\xc3\xa91m\x1b[3\x182m\x1b[1\x1b[2m\x1b[\x0e1m\x0f",
    "\x1b]0;title\x07\x1b]0;title\x1b\\\x1b]8;;u\x18x\x1b]2\x1a\x1b]2;\x0e\xe2\x82\xac\x07",
    "\x1bP1$qm\x1b\\\x1bP+q5\x0e4\x18\x1bPq#\xc3\xa9\x1b\\\x1b_G\x07m\x1b\\\x1b^p\x1b\\\x1bXs\x1b[1m\x1b_\xc3\xa9m\x1bP1\xc3\xa9m",
    "\x1b[2;31m\x1b[?1;2004h\x1bcx\x1b#8\x1b D\x1b(\x1b)0\x1b((0",
  ].join("");
  const stream = new Uint8Array(Buffer.from(text, "latin1"));
  const cuts = Array.from({ length: stream.length + 1 }, (_, at) => at);
  for (let at = 0; at < cuts.length; at += 250) await sameModes({ cols: 80, rows: 24 }, stream, cuts.slice(at, at + 250));
});

for (const [name, recording] of Object.entries(recordings)) {
  describe(`redraw of ${name}`, () => {
    const stream = streamOf(name);

    test("the modes at any cut are those of who saw everything", async () => {
      const random = numbers(stream.length);
      const cuts = Array.from({ length: 150 }, () => random(stream.length + 1));
      // Cuts where it is hard: in the middle of something.
      for (const [i, byte] of stream.entries()) {
        if ((byte === 0x1b || byte >= 0x80) && random(stream.length) < 1500) cuts.push(Math.min(i + 1 + random(3), stream.length));
      }
      await sameModes(recording, stream, cuts);
    });

    test("the screen is right once everything was painted", async () => {
      const random = numbers(stream.length + 1);
      let compared = 0;
      for (const [from, to] of recording.whole) {
        const cuts = Array.from({ length: 25 }, (_, i) => [i === 0 ? from : random(from + 1), i % 2 ? recording.rows : 0]);
        const prefix = prefixes(stream, cuts);
        const want = screen(await terminal(recording, stream.subarray(0, to)));
        await every(cuts, async ([at, rows], i) => {
          // Every second one fell behind: it has seen the stream up to somewhere before.
          const before = rows > 0 ? stream.subarray(0, random(at + 1)) : new Uint8Array();
          const late = await terminal(recording, before, prefix[i], stream.subarray(at, to));
          assert.deepEqual(screen(late), want, `cut at ${at} after ${before.length} bytes, compared at ${to}`);
          compared++;
        });
      }
      assert.ok(compared >= 25, `${compared} screens were compared`);
    });
  });
}

test("redraw: who fell behind inside a full-screen program finds the shell's screen behind it", async () => {
  const stream = streamOf("bash");
  const text = Buffer.from(stream).toString("latin1");
  const entered = text.indexOf("\x1b[?1049h");
  const left = text.indexOf("\x1b[?1049l") + "\x1b[?1049l".length;
  assert.ok(entered > 0 && left > entered);
  const size = recordings.bash;
  const all = await terminal(size, stream.subarray(0, left));
  const cut = left - 20;
  for (const before of [entered, entered + 8, entered + 300]) {
    const [prefix] = prefixes(stream, [[cut, size.rows]]);
    const late = await terminal(size, stream.subarray(0, before), prefix, stream.subarray(cut, left));
    assert.deepEqual(screen(late), screen(all), `fell behind at ${before}`);
  }
});

test("redraw: who fell behind keeps his scrollback", async () => {
  const stream = streamOf("bash");
  const { cols, rows } = recordings.bash;
  const [prefix] = prefixes(stream, [[1000, rows]]);
  const late = await terminal({ cols, rows }, "remember this\r\nand this\r\n", prefix, stream.subarray(1000));
  const lines = Array.from({ length: 2 }, (_, y) => late.buffer.normal.getLine(y).translateToString(true));
  assert.deepEqual(lines, ["remember this", "and this"]);
});

test("redraw: a prefix makes a terminal answer nothing", async () => {
  const stream = streamOf("vim");
  for (const prefix of prefixes(stream, [[0, 0], [100, 24], [5000, 0], [stream.length, 24]])) {
    const term = await terminal(recordings.vim);
    let answers = "";
    term.onData((data) => (answers += data));
    await write(term, prefix);
    assert.equal(answers, "");
  }
});

test("redraw: no old question is answered", async () => {
  const { code } = esbuild.transformSync(readFileSync(new URL("../ui/src/terminal-queries.ts", import.meta.url)), { loader: "ts" });
  const { muteQueries } = await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);
  const questions = [
    "\x1b[c", "\x1b[0c", "\x1b[>c", "\x1b[>0c", "\x1b[=c", "\x1b[5n", "\x1b[6n", "\x1b[?6n", "\x1b[?996n", "\x1b[4$p", "\x1b[?25$p", "\x1b[>q", "\x1b[>0q",
    "\x1bP$qm\x1b\\", "\x1bP$qr\x1b\\", "\x1bP$q q\x1b\\", "\x1bP+q544e\x1b\\", "\x1b]4;1;?\x07", "\x1b]10;?\x07", "\x1b]11;?\x1b\\", "\x1b]12;?\x07",
    "\x1b[?u", "\x1b[14t", "\x1b[18t", "\x1b[21t", "\x1b[x", "\x05", "\xc2\x9b6n",
  ];
  const ask = async (mute) => {
    const term = await terminal({ cols: 80, rows: 24 });
    muteQueries(term, () => mute);
    const answers = [];
    term.onData((data) => answers.push(data));
    for (const question of questions) await write(term, Buffer.from(question, "latin1"));
    return answers;
  };
  assert.deepEqual(await ask(true), []);
  assert.ok((await ask(false)).length >= 8, "the same questions are answered when they are new");
});
