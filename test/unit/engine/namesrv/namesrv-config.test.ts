import { describe, expect, it } from "vitest";
import { parseProperties } from "../../../../engine/base/properties-file.ts";
import { withProperties } from "../../../../engine/base/properties-file.ts";
import {
  loadNamesrvConfig,
  type LoadedNamesrvConfig,
} from "../../../../engine/namesrv/namesrv-config.ts";

const HOME = { home: "/home/u", rocketmqHome: "" };

function load(text: string, overrides = ""): LoadedNamesrvConfig {
  const sources = [
    { name: "ns.properties", entries: parseProperties(text, "ns.properties") },
    { name: "ROCKETMQ_OVERRIDES", entries: parseProperties(overrides, "ROCKETMQ_OVERRIDES") },
  ];
  return loadNamesrvConfig(sources, HOME);
}

describe("name server configuration (admin-protocol D.4)", () => {
  it("has 4.9's defaults", () => {
    expect(load("")).toMatchObject({
      config: {
        listenPort: 9876,
        kvConfigPath: "/home/u/namesrv/kvConfig.json",
        serverChannelMaxIdleTimeSeconds: 120,
        orderMessageEnable: false,
        bindAddress: "",
        aclEnable: false,
        aclMode: "strict",
        "rocketmq.acl.plain.file": "/conf/plain_acl.yml",
        aclBrokerAccessKey: "",
        "tls.server.mode": "auto",
        "tls.config.file": "/etc/rocketmq/tls.properties",
        allowForeignBrokerAddr: true,
      },
      notices: [],
    });
  });

  it("overrides win over the file, and the last line over the ones before", () => {
    const { config } = load("listenPort=1\nlistenPort=2", "listenPort=3");
    expect(config.listenPort).toBe(3);
    expect(load("listenPort=1\nlistenPort=2").config.listenPort).toBe(2);
  });

  it("names every bad value with file and line, all at once", () => {
    const bad = "# c\nlistenPort=99999\n\norderMessageEnable=yes\nserverWorkerThreads=1 # one";
    expect(() => load(bad)).toThrow(
      [
        "ns.properties:2: listenPort must be a whole number from 0 to 65535, not 99999",
        "ns.properties:4: orderMessageEnable is neither true nor false: yes",
        "ns.properties:5: serverWorkerThreads must be a whole number from 0 to 2147483647, not 1 # one",
      ].join("\n"),
    );
  });

  it.each([
    ["listenprt", "did you mean listenPort?"],
    ["listenPort1", "did you mean listenPort?"],
    ["lsitenPort", "did you mean listenPort?"],
    ["bindAdress", "did you mean bindAddress?"],
    ["brokerName", "it is ignored"],
  ])("an unknown key %s is named: %s", (key, words) => {
    const { notices } = load(`${key}=1`);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain(`ns.properties:1: there is no key ${key}`);
    expect(notices[0]).toContain(words);
    expect(notices[0]?.includes("did you mean")).toBe(words.startsWith("did"));
  });

  it("says which known keys have no effect", () => {
    expect(load("serverWorkerThreads=4").notices[0]).toContain("has no effect");
  });
});

describe("properties written back", () => {
  const set = (text: string): string =>
    withProperties(text, [{ key: "k", value: "new", line: 1 }], "f");

  it.each([
    ["", "k=new\n"],
    ["a=1", "a=1\nk=new\n"],
    ["k=old\na=1\n", "k=new\na=1\n"],
    ["k=one\nk=two\n", "k=one\nk=new\n"],
    ["k=one\\\n  two\n", "k=one\\\n  two\nk=new\n"],
  ])("%j becomes %j", (before, after) => {
    expect(set(before)).toBe(after);
    expect(parseProperties(set(before), "f").findLast(({ key }) => key === "k")?.value).toBe("new");
  });
});
