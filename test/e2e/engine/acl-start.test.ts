/** Fail closed (E-07, E-10): with access control on and no good file nothing starts, and the exit code is 78. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ACCOUNTS, writeAccounts } from "../../helpers/acl-home.ts";
import { runChild } from "../../helpers/child.ts";
import { freeBrokerPort } from "../../helpers/engine-process.ts";

let home = "";

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lab-acl-start-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function start(program: "mqbroker" | "mqnamesrv", properties = "") {
  mkdirSync(home, { recursive: true });
  const file = join(home, "server.properties");
  const port = await freeBrokerPort();
  const text = `listenPort=${port}\nbindAddress=127.0.0.1\naclEnable=true\n${properties}`;
  writeFileSync(file, program === "mqbroker" ? `${text}brokerIP1=127.0.0.1\n` : text);
  const env = { HOME: home, ROCKETMQ_HOME: home };
  return runChild(process.execPath, [resolve(`dist/${program}.mjs`), "-c", file], {
    env,
    timeoutMs: 20_000,
  });
}

describe.each(["mqbroker", "mqnamesrv"] as const)("%s with access control", (program) => {
  it("does not start without the file", async () => {
    const { code, output } = await start(program);
    expect(code).toBe(78);
    expect(output).toContain("conf/plain_acl.yml: there is no such file");
    expect(output).not.toContain("boot success");
  });

  it("does not start with a file that others may read", async () => {
    writeAccounts(home, ACCOUNTS, 0o644);
    const { code, output } = await start(program);
    expect(code).toBe(78);
    expect(output).toMatch(/others may read it \(mode 644\)\nrun `chmod 600 /);
  });

  it("does not start with a bad file, and names the line", async () => {
    writeAccounts(home, `${ACCOUNTS}  topicPerm: x\n`);
    const { code, output } = await start(program);
    expect(code).toBe(78);
    expect(output).toMatch(/plain_acl\.yml:\d+: an account has no key topicPerm/);
  });

  it("does not start with the accounts of RocketMQ's sample (E-11)", async () => {
    writeAccounts(
      home,
      "accounts:\n- accessKey: rocketmq2\n  secretKey: 12345678\n  admin: true\n",
    );
    const { code, output } = await start(program);
    expect(code).toBe(78);
    expect(output).toContain("one everybody knows");
  });
});
