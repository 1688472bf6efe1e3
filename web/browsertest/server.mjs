// Starts bin/sysnerd on a free port with data of its own, and ends it without a trace;
// in between it can be killed and started again.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const binary = process.env.SYSNERD ?? fileURLToPath(new URL("../../bin/sysnerd", import.meta.url));

/** `settings` are variables of its environment, `flags` its further arguments. */
export async function startServer(settings = {}, flags = []) {
  if (!existsSync(binary)) throw new Error(`${binary} is not built; run make build`);
  const data = mkdtempSync(join(tmpdir(), "sysnerd-browsertest-"));
  const port = await freePort();
  const listen = `127.0.0.1:${port}`;
  const url = `http://${listen}`;
  let log = "";
  let child, ended;
  const begin = () => {
    child = spawn(binary, ["serve", "--listen", listen, "--data", data, ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...settings },
    });
    ended = new Promise((resolve) => child.on("exit", resolve));
    child.stdout.on("data", (text) => (log += text));
    child.stderr.on("data", (text) => (log += text));
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    // The sandboxes outlive the server, on purpose; those of this test shall not.
    const instance = readFileSync(join(data, "instance"), "utf8").trim();
    const docker = (...args) => execFileSync("docker", args, { encoding: "utf8" }).split("\n").filter(Boolean);
    const left = docker("ps", "-aq", "--filter", `label=sysnerd.instance=${instance}`);
    if (left.length > 0) docker("rm", "-f", ...left);
    rmSync(data, { recursive: true, force: true });
  };

  begin();
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return { url, port, stop, kill, again: begin, log: () => log };
    if (child.exitCode !== null || Date.now() > deadline) {
      const said = answer ? await answer.text() : "";
      await stop().catch(() => undefined);
      throw new Error(`the server did not become ready; run make image\n${said}\n${log}`);
    }
    await pause(50); // readiness is asked for, nothing announces it
  }
}

/** The paths of the real course's pages. */
export async function coursePages(url) {
  const module = await (await fetch(`${url}/api/v1/modules/operating-systems`)).json();
  const sections = module.sections.map(({ path }) => path).filter(Boolean);
  if (sections.length === 0) throw new Error("the course has no sections");
  return ["/", "/operating-systems", ...sections, "/operating-systems/gauntlet", "/operating-systems/terms"];
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
