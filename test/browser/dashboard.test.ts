/** The dashboard's cluster page in a real browser, against a real cluster of local processes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../helpers/cleanup.ts";
import { labJson, labOk } from "../helpers/lab-command.ts";
import { chromiumPath, machineHas } from "../helpers/requirements.ts";

const labName = "browser";
const NODES = [
  "namesrv-1",
  "namesrv-2",
  "broker-a-master",
  "broker-a-slave",
  "broker-b-master",
  "broker-b-slave",
  "dashboard",
];
/** A fresh machine has no network and no GPU; without these flags Chromium waits for both. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

describe.runIf(machineHas("chromium"))("the dashboard", () => {
  const cleanup = new Cleanup();
  let home = "";
  let url = "";
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "lab-browser-"));
    cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
    cleanup.defer(async () => void (await labOk(home, ["destroy", "--name", labName, "--yes"])));
    const up = await labJson<{ dashboardUrl: string }>(home, [
      "up",
      "2m-2s-sync",
      "--name",
      labName,
      "--runtime",
      "process",
      "--index",
      "5",
    ]);
    url = up.dashboardUrl;
    const executablePath = chromiumPath();
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: FLAGS,
    });
    cleanup.defer(() => browser.close());
    page = await browser.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    await page.goto(url);
  });
  afterAll(() => cleanup[Symbol.asyncDispose]());

  const stateOf = (node: string): Promise<string | null> =>
    page.locator(`[data-node="${node}"]`).getAttribute("data-state", { timeout: 15_000 });

  it("shows all seven nodes with their roles on their hosts, all well", async () => {
    for (const node of NODES)
      await expect.poll(() => stateOf(node), { timeout: 20_000 }).toBe("ok");
    expect(await page.locator(".host h2").allTextContents()).toEqual(["host-1", "host-2"]);
    expect(
      await page
        .locator('[aria-label="host-1"] [data-node]')
        .evaluateAll((all) => all.map((item) => (item as HTMLElement).dataset["node"])),
    ).toEqual(expect.arrayContaining(["namesrv-1", "broker-a-master", "broker-b-slave"]));
  });

  it("shows both pairs in sync and nothing at risk", async () => {
    const rows = page.locator("[data-pair]");
    await expect.poll(() => rows.count(), { timeout: 10_000 }).toBe(2);
    for (const text of await rows.allTextContents()) expect(text).toMatch(/SYNC.*ok.*0 B/);
  });

  it("shows a killed master as down within 5 s, its figures as unknown, never as zero; and its return", async () => {
    await labOk(home, ["kill", "broker-a-master", "--name", labName]);
    await expect.poll(() => stateOf("broker-a-master"), { timeout: 5_000 }).toBe("down");
    const card = page.locator('[data-node="broker-a-master"]');
    expect(await card.locator("dd").first().textContent()).toMatch(/^– unknown: /);
    expect(await page.locator(".verdict").textContent()).toMatch(/down.*broker-a-master/);
    await labOk(home, ["start", "broker-a-master", "--name", labName]);
    await expect.poll(() => stateOf("broker-a-master"), { timeout: 20_000 }).toBe("ok");
    expect(await page.locator(".events").textContent()).toContain("broker-a-master");
  });

  it("answers to localhost only, and nothing it loads breaks its own rules", async () => {
    const foreign = await page.request.get(`${url}/api/cluster`, {
      headers: { Host: "evil.example" },
    });
    expect(foreign.status()).toBe(421);
    const own = await page.request.get(`${url}/api/cluster`);
    expect(own.headers()["content-security-policy"]).toContain("default-src 'self'");
    expect(problems).toEqual([]);
  });
});
