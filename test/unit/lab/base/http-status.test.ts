import { createServer } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { httpStatus } from "../../../../lab/base/http-status.ts";

const open: { close(): void }[] = [];

afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function listening(server: Server): Promise<Server> {
  open.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

describe("the status of an HTTP answer", () => {
  it("is told when the whole answer is there", async () => {
    const server = createServer((_request, response) => response.writeHead(503).end("no"));
    expect(await httpStatus(urlOf(await listening(server)), 2_000)).toBe(503);
  });

  it("a connection that is accepted and closed at once is an error, every time", async () => {
    const server = await listening(createTcpServer((socket) => socket.destroy()));
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, () => httpStatus(urlOf(server), 2_000)),
    );
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set(["rejected"]));
  });

  it("silence is an error in time", async () => {
    const server = await listening(createTcpServer(() => undefined));
    await expect(httpStatus(urlOf(server), 50)).rejects.toThrow("no answer in 50 ms");
  });

  it("nobody there is an error", async () => {
    await expect(httpStatus("http://127.0.0.1:1/", 2_000)).rejects.toThrow("ECONNREFUSED");
  });
});
