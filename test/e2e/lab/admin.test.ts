/** `lab admin` on a running lab: no address is given, node names are brokers, and one that hangs is told. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { schemaProblems } from "../../helpers/json-schema.ts";
import { LabHome } from "../../helpers/lab-home.ts";

describe("lab admin", () => {
  let lab: LabHome;

  const admin = (line: string) => lab.run("admin", ...line.split(" "));
  const json = async <Document>(line: string): Promise<Document> => {
    const run = await lab.run("admin", ...line.split(" "), "--json");
    expect(run).toMatchObject({ code: 0 });
    expect(schemaProblems(run.stdout)).toBe("");
    return JSON.parse(run.stdout) as Document;
  };

  beforeAll(async () => {
    lab = await LabHome.create();
    const up = await lab.run("up", "2m-2s-sync", "--runtime", "process", "--size", "tiny");
    if (up.code !== 0) throw new Error(up.stderr);
  });

  afterAll(() => lab[Symbol.asyncDispose]());

  it("a topic is made, filled, read and deleted on both pairs", async () => {
    expect((await admin("topics create Orders --queues 2")).code).toBe(0);
    const sent = await json<{ sent: readonly { status: string }[] }>(
      "messages send --topic Orders --body hi --key k --count 4",
    );
    expect(sent.sent.map(({ status }) => status)).toEqual(Array(4).fill("SEND_OK"));
    expect(await json("topics show Orders")).toMatchObject({ messages: 4 });
    const tail = await json<{ messages: readonly unknown[] }>("messages tail --topic Orders");
    expect(tail.messages).toHaveLength(4);
    expect((await admin("topics delete Orders")).code).toBe(0);
    expect((await admin("topics")).stdout).toContain("no topics of yours yet");
  });

  it("brokers are named as the lab names its nodes, slaves too", async () => {
    expect((await admin("brokers config broker-b-slave brokerRole")).stdout).toBe(
      "brokerRole=SLAVE\n",
    );
    const { brokers } = await json<{ brokers: readonly { role: string }[] }>("brokers");
    expect(brokers.map(({ role }) => role)).toEqual(["master", "slave", "master", "slave"]);
  });

  it("a broker that hangs is silent in the list, and the others are told all the same", async () => {
    await lab.run("pause", "broker-a-slave");
    const run = await admin("brokers --timeout 500ms");
    await lab.run("unpause", "broker-a-slave");
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/broker-a +slave 1 .* silent: /);
    expect(run.stdout.match(/answers/g)).toHaveLength(3);
  });

  it("with one name server down the other is asked; with both down it says what to do", async () => {
    await lab.run("kill", "namesrv-1");
    expect((await admin("topics --all --timeout 1s")).code).toBe(0);
    await lab.run("kill", "namesrv-2");
    const run = await admin("topics --timeout 1s");
    expect(run.code).toBe(5);
    expect(run.stderr).toMatch(/no name server answers: [^]*`lab status` shows each node/);
    await lab.run("heal");
  });
});
