/**
 * A topology whose hosts are servers, on two Docker Engines with an address each (test/helpers/two-servers.ts): what a person at a third machine
 * sees and does.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { machineHas } from "../helpers/requirements.ts";
import { TwoServers, type TestServer } from "../helpers/two-servers.ts";

interface Status {
  readonly healthy: boolean;
  readonly nodes: readonly {
    readonly node: string;
    readonly role: string;
    readonly host: string;
    readonly address: string;
    readonly state: string;
    readonly lagBytes: number | null;
  }[];
  readonly faults: readonly unknown[];
}

const NODES = {
  "host-1": ["broker-a-master", "broker-b-slave", "dashboard", "namesrv-1"],
  "host-2": ["broker-a-slave", "broker-b-master", "namesrv-2"],
} as const;

describe.runIf(machineHas("docker", "docker-compose", "linux", "private-engine", "sshd"))(
  "a lab on two servers",
  () => {
    let two: TwoServers;
    let atFirst: readonly string[];

    beforeAll(async () => {
      two = await TwoServers.start();
      atFirst = await two.everything();
      await two.startSsh();
    });
    afterAll(() => two[Symbol.asyncDispose]());

    const json = async <Document>(...args: readonly string[]): Promise<Document> =>
      JSON.parse(await two.ok(...args, "--json")) as Document;
    const status = (): Promise<Status> => json<Status>("status");
    const stateOf = async (node: string): Promise<string | undefined> =>
      (await status()).nodes.find((row) => row.node === node)?.state;
    const server = (index: number): TestServer => {
      const found = two.servers[index];
      if (found === undefined) throw new Error(`no server ${index}`);
      return found;
    };

    it("is refused with --runtime process, with --disk, and as an export", async () => {
      const folder = two.topology("2m-2s-sync");
      const process = await two.run("up", folder, "--runtime", "process");
      expect(process).toMatchObject({ code: 2 });
      expect(process.stderr).toContain("local processes cannot run there");
      const disk = await two.run("up", folder, "--disk", "512m");
      expect(disk.code).not.toBe(0);
      expect(disk.stderr).toContain("the hosts of this topology are servers");
      const exported = await two.run("export", "compose", "out", "--from", folder);
      expect(exported).toMatchObject({ code: 2 });
      expect(await two.everything()).toEqual(atFirst);
    });

    it("has each host's nodes on that server's engine, at that server's address", async () => {
      const up = await two.run("up", two.topology("2m-2s-sync"), "--size", "tiny");
      expect(up.stderr).toContain("without access control");
      expect(up).toMatchObject({ code: 0 });
      for (const { host, address, engine } of two.servers) {
        const names = (await engine.docker.listContainers()).map(({ Names }) => Names[0] ?? "");
        const wanted = NODES[host as keyof typeof NODES].map((node) => `/lab-${node}`);
        expect(names.toSorted()).toEqual(wanted);
        const rows = (await status()).nodes.filter((row) => row.host === host);
        for (const row of rows) expect(row.address).toMatch(new RegExp(`^${address}:`));
      }
      const env = await two.ok("env", "--shell", "sh");
      expect(env).toContain("NAMESRV_ADDR='198.51.100.194:9876;198.51.100.195:9876'");
    });

    it("reaches and is reached: every address told, every port, from the laptop and from either server", async () => {
      const addresses = await json<{ readonly ok: boolean }>("doctor", "addresses");
      expect(addresses.ok).toBe(true);
      expect((await json<{ readonly ok: boolean }>("doctor", "ports")).ok).toBe(true);
      const doctor = await two.ok("doctor");
      expect(doctor).toMatch(/ok +engine of host-2 +Docker Engine \S+ at 198\.51\.100\.195/);
    });

    it("takes load over the published addresses, every message accounted for", async () => {
      const load = ["bench", "--producers", "4", "--consumers", "1", "--duration", "2s"];
      const result = await json<{
        readonly totals: { readonly ok: number; readonly failed: number };
        readonly verdict: { readonly verdict: string };
      }>(...load);
      expect(result.verdict.verdict).toBe("valid");
      expect(result.totals).toMatchObject({ failed: 0 });
      expect(result.totals.ok).toBeGreaterThan(100);
    });

    it("runs a program on a server, without this machine's folder", async () => {
      const program = ["--", "node", "-e", "process.stdout.write(process.env.NAMESRV_ADDR)"];
      const refused = await two.run("run", ...program);
      expect(refused).toMatchObject({ code: 2 });
      expect(refused.stderr).toContain("--no-mount");
      const told = await two.ok("run", "--no-mount", "--from", "host-2", ...program);
      expect(told).toBe("198.51.100.194:9876;198.51.100.18:9876");
    });

    it("is cut in two, and node by node, and each cut is proven and healed", async () => {
      await two.ok("fault", "partition", "@host-1", "@host-2");
      const { nodes } = await status();
      expect(nodes.every(({ state }) => state === "running")).toBe(true);
      expect(await two.ok("heal")).toContain("namesrv-1 → namesrv-2 port 9876: connected");
      const one = await two.ok("fault", "reject", "broker-b-slave", "namesrv-2", "--one-way");
      expect(one).toContain("broker-b-slave → namesrv-2 port 9876: refused");
      // The neighbour on the same server is another address's port: replication goes on.
      await two.ok("admin", "topics", "create", "cut");
      expect(await two.ok("admin", "messages", "send", "--topic", "cut", "--body", "x")).toContain(
        "SEND_OK",
      );
      await two.ok("heal");
      const delay = await two.ok(
        "fault",
        "delay",
        "broker-a-slave",
        "broker-a-master",
        "--by",
        "20ms",
      );
      expect(delay).toMatch(/a relay stands beside broker-a-slave/);
      await two.ok("heal");
      await two.ok("firewall", "close", "host-1", "10912");
      expect((await two.run("doctor", "ports")).code).toBe(5);
      await two.ok("firewall", "open", "host-1", "10912");
      const loss = await two.run("fault", "loss", "broker-a-master", "@host-2", "--percent", "5");
      expect(loss.code).toBe(3);
      expect(loss.stderr).toContain("not possible on hosts that are servers");
    });

    it("promotes a slave on the other server, and the old master follows it from there", async () => {
      await two.ok("kill", "broker-a-master");
      expect(await two.ok("promote", "broker-a-slave", "--yes")).toContain(
        "broker-a-slave is the master of broker-a now",
      );
      await two.ok("start", "broker-a-master");
      const row = (await status()).nodes.find(({ node }) => node === "broker-a-master");
      expect(row).toMatchObject({ role: "slave of broker-a", lagBytes: 0 });
    });

    it("restores a lost disk from the copy on the other server", async () => {
      await two.ok("fault", "disk-lost", "broker-b-slave");
      const restored = await two.ok("restore", "broker-b-slave", "--from", "broker-b-master");
      expect(restored).toContain("broker-b-slave has the store of broker-b-master now");
      await two.ok("heal");
      expect((await status()).healthy).toBe(true);
      const { docker } = server(0).engine;
      const volumes = (await docker.listVolumes()).Volumes ?? [];
      expect(volumes.map(({ Name }) => Name).filter((name) => name.includes("lent"))).toEqual([]);
    });

    it("saves and restores a snapshot, each node's on its own server", async () => {
      await two.ok("snapshot", "save", "one", "--yes");
      await two.ok("admin", "topics", "create", "later");
      await two.ok("snapshot", "restore", "one", "--yes");
      expect(await two.ok("admin", "topics", "list")).not.toContain("later");
    });

    it("loses a whole host and gets it back", async () => {
      await two.ok("host", "down", "host-2");
      expect(await stateOf("broker-b-master")).toBe("stopped");
      expect(await stateOf("broker-a-master")).toBe("running");
      await two.ok("host", "up", "host-2");
      expect((await status()).healthy).toBe(true);
    });

    it("goes on with one server when the other's engine does not answer, and says which", async () => {
      const { engine } = server(1);
      engine.freeze();
      try {
        expect(await stateOf("broker-b-master")).toBe("unreachable");
        expect(await stateOf("broker-b-slave")).toBe("running");
        await two.ok("restart", "broker-b-slave");
        const kill = await two.run("kill", "broker-b-master");
        expect(kill.code).toBe(3);
        expect(kill.stderr).toContain("the Docker Engine of host-2");
        expect((await status()).faults).toEqual([]);
      } finally {
        engine.thaw();
      }
      expect((await status()).healthy).toBe(true);
    });

    it("keeps its data over down and up, and leaves nothing behind when it is destroyed", async () => {
      await two.ok("admin", "topics", "create", "kept");
      await two.ok("down");
      const down = await two.everything();
      expect(down.filter((line) => /container|network lab/.test(line))).toEqual([]);
      await two.ok("up");
      expect(await two.ok("admin", "topics", "list")).toContain("kept");
      await two.ok("destroy", "--yes");
      expect(await two.everything()).toEqual(atFirst);
    });

    it("is reached over TCP and over ssh as well; a command that is killed takes its tunnel along", async () => {
      await two.ok("up", two.topology("2m-2s-sync", "network"), "--size", "tiny");
      expect((await status()).healthy).toBe(true);
      const tunnels = two.tunnels();
      await using logs = two.start("logs", "-f", "broker-b-master");
      await logs.waitForLine((line) => line.includes("boot success"), 20_000);
      expect(two.tunnels()).toBe(tunnels + 1);
      logs.kill("SIGKILL");
      await logs.exited;
      await expect.poll(() => two.tunnels(), { timeout: 10_000 }).toBe(tunnels);
      await two.ok("destroy", "--yes");
      expect(await two.everything()).toEqual(atFirst);
    });

    it("refuses a server whose key it does not know, and leaves nothing", async () => {
      two.forgetHostKey();
      const up = await two.run("up", two.topology("2m-2s-sync", "network"));
      expect(up.code).toBe(3);
      expect(up.stderr).toContain("Host key verification failed");
      expect(up.stderr).toContain("docker info` must work on this machine without a question");
      expect(await two.everything()).toEqual(atFirst);
    });
  },
);
