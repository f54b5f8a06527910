/** E-09: the name server checks the same file as the brokers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ACCOUNT, signed, writeAccounts } from "../../../helpers/acl-home.ts";
import { NamesrvFixture, registration } from "./namesrv-fixture.ts";

let home = "";

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lab-namesrv-acl-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const properties = (): string => `aclEnable=true\nrocketmqHome=${home}\n`;

describe("a name server with access control", () => {
  it("takes registrations from the brokers' account and administrators only, route reads from every account", async () => {
    writeAccounts(home);
    const own = `${properties()}aclBrokerAccessKey=broker-account\n`;
    await using server = await NamesrvFixture.start(own);
    expect(await server.register()).toMatchObject({
      code: 16,
      remark: "No accessKey is configured",
    });
    expect((await server.ask(signed(registration(), ACCOUNT.app))).code).toBe(16);
    expect((await server.ask(signed(registration(), ACCOUNT.broker))).code).toBe(0);
    expect((await server.ask(signed(registration(), ACCOUNT.admin))).code).toBe(0);
    expect((await server.clusterInfo()).code).toBe(16);
    const info = await server.ask(signed({ code: 106 }, ACCOUNT.reader));
    expect(info.body).toContain("broker-a");
    const put = { code: 100, ext: { namespace: "N", key: "k", value: "v" } };
    expect((await server.ask(signed(put, ACCOUNT.broker))).code).toBe(16);
    expect((await server.ask(signed(put, ACCOUNT.admin))).code).toBe(0);
    expect(server.lines.filter((line) => line.includes("acl.audit"))).toHaveLength(1);
  });

  it("does not start without the file", async () => {
    await expect(NamesrvFixture.start(properties())).rejects.toThrow(/there is no such file/);
  });

  it("is served to everybody when access control is off, signed or not", async () => {
    await using server = await NamesrvFixture.start();
    expect((await server.ask(signed({ code: 106 }, ACCOUNT.wrong))).code).toBe(0);
  });
});
