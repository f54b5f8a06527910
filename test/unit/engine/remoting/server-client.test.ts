import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../../../engine/base/logger.ts";
import { createRemotingClient } from "../../../../engine/remoting/client.ts";
import { encodeFrameHead } from "../../../../engine/remoting/header.ts";
import type { Processor, ProcessorTable } from "../../../../engine/remoting/processor.ts";
import { createRemotingServer } from "../../../../engine/remoting/server.ts";
import type { RemotingServer } from "../../../../engine/remoting/server-api.ts";
import { Cleanup } from "../../../helpers/cleanup.ts";

const ECHO = 900;
const FAIL = 901;
const HANG = 902;
const CALL_BACK = 903;

const table: ProcessorTable = {
  processors: new Map<number, Processor>([
    [ECHO, (request) => ({ code: 0, extFields: request.extFields, body: request.body })],
    [
      FAIL,
      () => {
        throw new Error("secret detail");
      },
    ],
    [HANG, () => null],
    [
      CALL_BACK,
      async (_request, context) =>
        context.channel.invoke({ code: ECHO, body: Buffer.from("from server") }, 1_000),
    ],
  ]),
};

function frame(code: number, opaque: number, body = Buffer.alloc(0), flag = 0): Buffer {
  const head = encodeFrameHead(
    { code, language: 0, version: 393, opaque, flag, remark: null, extFields: null },
    0,
    body.length,
  );
  return Buffer.concat([head, body]);
}

describe("remoting server and client", () => {
  let cleanup = new Cleanup();
  afterEach(async () => {
    await cleanup[Symbol.asyncDispose]();
    cleanup = new Cleanup();
  });

  async function start(
    options: Partial<Parameters<typeof createRemotingServer>[0]> = {},
  ): Promise<{ server: RemotingServer; port: number; address: string }> {
    const server = createRemotingServer({
      name: "test",
      host: "127.0.0.1",
      port: 0,
      table,
      logger: silentLogger,
      ...options,
    });
    const port = await server.start();
    cleanup.defer(() => server.stop(100));
    return { server, port, address: `127.0.0.1:${port}` };
  }

  function client(): ReturnType<typeof createRemotingClient> {
    const made = createRemotingClient({ logger: silentLogger, table });
    cleanup.defer(() => made.close());
    return made;
  }

  it("carries fields and bodies both ways, many at once on one connection", async () => {
    const { address, server } = await start();
    const remoting = client();
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, i) =>
        remoting.invoke(
          address,
          { code: ECHO, extFields: new Map([["n", String(i)]]), body: Buffer.alloc(i * 10, i) },
          3_000,
        ),
      ),
    );
    answers.forEach((answer, i) => {
      expect(answer.extFields.get("n")).toBe(String(i));
      expect(answer.body?.length ?? 0).toBe(i * 10);
    });
    expect(server.connectionCount).toBe(1);
  });

  it("F-30: serves 1,000 frames in one segment, and one frame byte by byte", async () => {
    const { port } = await start();
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    cleanup.defer(() => void socket.destroy());
    let received = 0;
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    const all = Buffer.concat(Array.from({ length: 1_000 }, (_, i) => frame(ECHO, i)));
    socket.write(all);
    const one = frame(ECHO, 7, Buffer.from("hello"));
    for (const byte of one) {
      await new Promise((done) => setImmediate(done));
      socket.write(Buffer.from([byte]));
    }
    const answerBytes = (opaque: number, body: number): number =>
      frame(0, opaque, Buffer.alloc(body), 1).length + '"extFields":{},'.length;
    const expected = Array.from({ length: 1_000 }, (_, i) => answerBytes(i, 0)).reduce(
      (sum, n) => sum + n,
      answerBytes(7, 5),
    );
    await expect.poll(() => received, { timeout: 5_000 }).toBe(expected);
  });

  it("F-11: answers 3 for a code nobody serves", async () => {
    const { address } = await start();
    const answer = await client().invoke(address, { code: 12_345 }, 1_000);
    expect([answer.code, answer.remark]).toEqual([3, " request type 12345 not supported"]);
  });

  it("F-34: a failing processor is answered 1 without its inner text, and the server lives", async () => {
    const { address } = await start();
    const remoting = client();
    const answer = await remoting.invoke(address, { code: FAIL }, 1_000);
    expect(answer.code).toBe(1);
    expect(answer.remark).not.toContain("secret");
    expect((await remoting.invoke(address, { code: ECHO }, 1_000)).code).toBe(0);
  });

  it("rejects with REMOTING_TIMEOUT, and the late connection goes on", async () => {
    const { address } = await start();
    const remoting = client();
    await expect(remoting.invoke(address, { code: HANG }, 100)).rejects.toMatchObject({
      code: "REMOTING_TIMEOUT",
    });
    expect((await remoting.invoke(address, { code: ECHO }, 1_000)).code).toBe(0);
  });

  it("fails everything in flight when the connection closes", async () => {
    const { address, server } = await start();
    const hanging = client().invoke(address, { code: HANG }, 5_000);
    hanging.catch(() => undefined);
    await expect.poll(() => server.connectionCount).toBe(1);
    await server.stop(50);
    await expect(hanging).rejects.toMatchObject({ code: "REMOTING_CONNECTION_CLOSED" });
  });

  it("says that it could not connect when nobody listens", async () => {
    const { address, server } = await start();
    await server.stop(10);
    await expect(client().invoke(address, { code: ECHO }, 1_000)).rejects.toMatchObject({
      code: "REMOTING_CONNECT_FAILED",
    });
  });

  it("lets the server ask the client back over the same connection", async () => {
    const { address } = await start();
    const answer = await client().invoke(address, { code: CALL_BACK }, 2_000);
    expect(answer.body?.toString()).toBe("from server");
  });

  it.each([
    ["F-01: a length below 4", Buffer.from([0, 0, 0, 3, 0, 0, 0, 0])],
    ["F-01: a negative length", Buffer.from([0xff, 0, 0, 0])],
    ["F-02: HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["F-03: a header longer than the frame", Buffer.from([0, 0, 0, 20, 0, 0, 0, 200, 1, 1, 1, 1])],
    ["F-04: an unknown serialize type", Buffer.from([0, 0, 0, 20, 9, 0, 0, 2, 1, 1, 1, 1])],
    [
      "F-05: a header that is no JSON",
      Buffer.concat([Buffer.from([0, 0, 0, 8, 0, 0, 0, 4]), Buffer.from("nope")]),
    ],
    [
      "F-07: a binary header that claims more than it has",
      Buffer.concat([
        Buffer.from([0, 0, 0, 25, 1, 0, 0, 21]),
        Buffer.alloc(13),
        Buffer.from([0x7f, 0xff, 0xff, 0xff]),
        Buffer.alloc(4),
      ]),
    ],
  ])("%s closes the connection and harms nobody else", async (_name, bytes) => {
    const { port, address } = await start();
    const good = client();
    expect((await good.invoke(address, { code: ECHO }, 1_000)).code).toBe(0);
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    const closed = new Promise((done) => socket.once("close", done));
    socket.write(bytes);
    await closed;
    expect((await good.invoke(address, { code: ECHO }, 1_000)).code).toBe(0);
  });

  it("F-22: refuses connections over the limit and keeps the open ones", async () => {
    const { port, address } = await start({ connectionsMax: 1 });
    const good = client();
    await good.invoke(address, { code: ECHO }, 1_000);
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    await new Promise((done) => socket.once("close", done));
    expect((await good.invoke(address, { code: ECHO }, 1_000)).code).toBe(0);
  });

  it("a one-way request is not answered, not even with an error", async () => {
    const { port } = await start();
    const socket = connect({ port, host: "127.0.0.1" });
    cleanup.defer(() => void socket.destroy());
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.write(
      Buffer.concat([
        frame(FAIL, 1, Buffer.alloc(0), 2),
        frame(12_345, 2, Buffer.alloc(0), 2),
        frame(ECHO, 3),
      ]),
    );
    await expect.poll(() => chunks.length).toBeGreaterThan(0);
    expect(
      Buffer.concat(chunks)
        .toString("latin1")
        .match(/"opaque":(\d+)/g),
    ).toEqual(['"opaque":3']);
  });
});
