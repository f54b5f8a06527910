import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { findPortOwner, listeningInodes } from "../../../../../lab/runtime/preflight/port-owner.ts";
import { checkPorts } from "../../../../../lab/runtime/preflight/ports.ts";

const servers: Server[] = [];

function listen(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    servers.push(server);
    server.once("error", reject);
    server.listen(0, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map((server) => new Promise<void>((done) => server.close(() => done()))),
  );
});

describe("ports", () => {
  it.each(["127.0.0.1", "0.0.0.0"])(
    "names the node and the process when %s has it",
    async (host) => {
      const port = await listen(host);
      await expect(checkPorts([{ node: "namesrv-1", port }])).rejects.toMatchObject({
        code: "LAB_PORT_TAKEN",
        message: expect.stringContaining(`127.0.0.1:${port}, wanted by namesrv-1`) as string,
      });
    },
  );

  it("tells all taken ports at once and asks the caller first who has them", async () => {
    const taken = [await listen("127.0.0.1"), await listen("127.0.0.1")];
    const claims = taken.map((port, index) => ({ node: `broker-${index}`, port }));
    const failure = checkPorts(claims, (port) =>
      Promise.resolve(port === taken[0] ? 'broker-a-master of lab "other"' : null),
    );
    await expect(failure).rejects.toThrow(
      new RegExp(`${taken[0]}.*broker-a-master of lab "other"\n.*${taken[1]}, wanted by broker-1`),
    );
  });

  it("is content with free ports", async () => {
    const port = await listen("127.0.0.1");
    await new Promise<void>((done) => servers.pop()?.close(() => done()));
    await expect(checkPorts([{ node: "namesrv-1", port }])).resolves.toBeUndefined();
  });

  it.runIf(process.platform === "linux")("finds this process as the owner", async () => {
    const port = await listen("127.0.0.1");
    expect(findPortOwner(port)?.pid).toBe(process.pid);
  });

  it("reads only sockets that listen on the port itself", () => {
    const table = [
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
      "   0: 0100007F:2694 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1111 1",
      "   1: 0100007F:2694 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 2222 1",
      "   2: 0100007F:9C40 0100007F:2694 01 00000000:00000000 00:00000000 00000000     0        0 3333 1",
    ].join("\n");
    expect(listeningInodes(table, 9876)).toEqual(["1111"]);
    expect(listeningInodes(table, 40000)).toEqual([]);
  });
});
