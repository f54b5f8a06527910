import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../../engine/base/logger.ts";
import { nodeVfs } from "../../../../engine/base/node-vfs.ts";
import { parseProperties } from "../../../../engine/base/properties-file.ts";
import { LiveBrokerConfig } from "../../../../engine/broker/live-config.ts";
import { brokerFixture, type BrokerFixture } from "./broker-fixture.ts";

const entries = (text: string) => parseProperties(text, "test");

function live(fixture: BrokerFixture, configFile: string | undefined): LiveBrokerConfig {
  const { config } = fixture.context;
  return new LiveBrokerConfig({
    config,
    vfs: nodeVfs,
    logger: silentLogger,
    now: () => 7,
    configFile,
  });
}

describe("settings changed at run time", () => {
  it("change the one configuration in place, count its version up, and stand in the file with its comments", () => {
    using fixture = brokerFixture();
    const { config } = fixture.context;
    const file = join(config.storePathRootDir, "broker.properties");
    writeFileSync(file, "# ours\nfileReservedTime=72\nbrokerName=broker-a\n");
    const changed = live(fixture, file);
    expect(changed.update(entries("fileReservedTime=1\nslaveReadEnable=true"))).toBeNull();
    expect([config.fileReservedTime, config.slaveReadEnable]).toEqual([1, true]);
    expect(changed.version).toEqual({ counter: 1, timestamp: 7 });
    expect(readFileSync(file, "utf8")).toBe(
      "# ours\nfileReservedTime=1\nbrokerName=broker-a\nslaveReadEnable=true\n",
    );
  });

  it("a bad value changes nothing, not even the good ones beside it", () => {
    using fixture = brokerFixture();
    const { config } = fixture.context;
    const changed = live(fixture, undefined);
    for (const bad of [
      "brokerPermission=8",
      "slaveReadEnable=yes",
      "deleteWhen=4",
      "deleteWhen=24",
    ])
      expect(() => changed.update(entries(`fileReservedTime=1\n${bad}`))).toThrow(
        expect.objectContaining({ code: "BROKER_CONFIG_INVALID" }),
      );
    expect(config.fileReservedTime).toBe(72);
    expect(changed.version.counter).toBe(0);
  });

  it("paths, addresses, ports, roles, names and unknown keys are named as forbidden (D-15)", () => {
    using fixture = brokerFixture();
    const changed = live(fixture, undefined);
    for (const key of [
      "rocketmqHome",
      "storePathRootDir",
      "storePathCommitLog",
      "namesrvAddr",
      "brokerIP1",
      "listenPort",
      "brokerRole",
      "brokerName",
      "aclEnable",
      "useTLS",
      "noSuchKey",
      "__proto__",
      "constructor",
    ])
      expect(changed.forbiddenKey(entries(`fileReservedTime=1\n${key}=1`))).toBe(key);
    expect(changed.forbiddenKey(entries("fileReservedTime=1"))).toBeUndefined();
  });

  it("a file that cannot be written leaves the change in force and says so", () => {
    using fixture = brokerFixture();
    const { config } = fixture.context;
    const folder = config.storePathRootDir;
    expect(live(fixture, folder).update(entries("fileReservedTime=2"))).toMatch(
      /in force until the next start: the property file could not be written/,
    );
    expect(live(fixture, undefined).update(entries("fileReservedTime=3"))).toMatch(
      /there is no property file/,
    );
    expect(config.fileReservedTime).toBe(3);
  });
});
