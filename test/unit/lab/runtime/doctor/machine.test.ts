import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { examineMachine, hasGuardRoute } from "../../../../../lab/runtime/doctor/machine.ts";
import { probeAddresses } from "../../../../../lab/runtime/doctor/probe-addresses.ts";
import { loadTopology } from "../../../../../lab/topology/presets.ts";

const HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT";

describe("guard route", () => {
  it.each([
    [
      "an unreachable route to the lab range",
      "*\t006433C6\t00000000\t0200\t0\t0\t4096\t00FFFFFF\t0\t0\t0",
      true,
    ],
    [
      "an ordinary route to it",
      "eth0\t006433C6\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
      false,
    ],
    [
      "an unreachable route elsewhere",
      "*\t0000000A\t00000000\t0200\t0\t0\t0\t000000FF\t0\t0\t0",
      false,
    ],
    ["nothing", "", false],
  ])("%s", (_case, line, expected) => {
    expect(hasGuardRoute(`${HEAD}\n${line}\n`)).toBe(expected);
  });
});

describe("machine", () => {
  it("a taken port fails, names its holder and says what to do", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const [first] = loadTopology("1m", "/").topology.nodes;
    if (first === undefined) throw new Error("no node");
    const node = { ...first, ports: [{ name: "namesrv", inner: port, published: port } as const] };
    try {
      const findings = await examineMachine({ home: join(tmpdir(), "no", "lab"), nodes: [node] });
      expect(findings.find((finding) => finding.check === "ports")).toMatchObject({
        status: "fail",
        found: expect.stringContaining(`127.0.0.1:${port}`) as string,
        fix: expect.stringContaining("--index") as string,
      });
      expect(findings.find((finding) => finding.check === "node")?.status).toBe("ok");
    } finally {
      server.close();
    }
  });
});

describe("probe", () => {
  it("an open port that speaks no RocketMQ connects, and fails its round trip", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    try {
      const [probed] = await probeAddresses([`127.0.0.1:${port}`]);
      expect(probed).toMatchObject({ kind: "namesrv", roundTripMs: null });
      expect(probed?.connectMs).not.toBeNull();
      expect(probed?.error).not.toBe("");
    } finally {
      server.close();
    }
  });
});
