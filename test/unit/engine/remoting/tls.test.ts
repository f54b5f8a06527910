/** G17 and E-12: three modes × plain, TLS, mutual TLS, garbage, on real sockets. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLogger, silentLogger } from "../../../../engine/base/logger.ts";
import { nodeVfs } from "../../../../engine/base/node-vfs.ts";
import { makeCertificate } from "../../../../engine/base/x509.ts";
import { createRemotingClient } from "../../../../engine/remoting/client.ts";
import type { Processor } from "../../../../engine/remoting/processor.ts";
import { createRemotingServer } from "../../../../engine/remoting/server.ts";
import type { RemotingServer } from "../../../../engine/remoting/server-api.ts";
import { readTlsSettings, type TlsChoice } from "../../../../engine/remoting/tls-settings.ts";
import { openTls, type ClientTls, type ProgramTls } from "../../../../engine/remoting/tls.ts";
import { Cleanup } from "../../../helpers/cleanup.ts";

const ECHO = 900;
const echo: Processor = (request) => ({ code: 0, body: request.body });

const authority = makeCertificate({ commonName: "test authority" });
const otherAuthority = makeCertificate({ commonName: "other authority" });
const serverPair = makeCertificate({
  commonName: "broker",
  hosts: ["127.0.0.1"],
  issuer: authority,
});
const clientPair = makeCertificate({ commonName: "client", issuer: authority });
const strangerPair = makeCertificate({ commonName: "stranger", issuer: otherAuthority });

const trusting: ClientTls = { authServer: true, trustCert: authority.cert };
const mutual: ClientTls = { ...trusting, cert: clientPair.cert, key: clientPair.key };
const stranger: ClientTls = { ...trusting, cert: strangerPair.cert, key: strangerPair.key };

let home = "";
let cleanup = new Cleanup();

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lab-tls-"));
  writeFileSync(join(home, "server.pem"), serverPair.cert);
  writeFileSync(join(home, "server.key"), serverPair.key);
  writeFileSync(join(home, "ca.pem"), authority.cert);
});
afterEach(async () => {
  await cleanup[Symbol.asyncDispose]();
  cleanup = new Cleanup();
  rmSync(home, { recursive: true, force: true });
});

/** tls.properties with the server's certificate and these lines. */
function tlsFile(lines = ""): string {
  const file = join(home, "tls.properties");
  const own = `tls.server.certPath=${home}/server.pem\ntls.server.keyPath=${home}/server.key\n`;
  writeFileSync(file, own + lines);
  return file;
}

function choice(mode: TlsChoice["mode"], configFile: string): TlsChoice {
  return { mode, enable: "auto", configFile, isLoopback: true };
}

async function start(
  mode: TlsChoice["mode"],
  lines = "",
  connectionsMax = 100,
): Promise<{ readonly server: RemotingServer; readonly port: number; readonly log: string[] }> {
  const log: string[] = [];
  const logger = createLogger("tls", "info", (line) => void log.push(line));
  const settings = readTlsSettings(nodeVfs, choice(mode, tlsFile(lines)));
  const tls: ProgramTls | undefined = openTls(nodeVfs, settings, logger);
  cleanup.defer(() => tls?.close());
  const server = createRemotingServer({
    name: "test",
    host: "127.0.0.1",
    port: 0,
    table: { processors: new Map([[ECHO, echo]]) },
    logger: silentLogger,
    connectionsMax,
    tls: tls?.server,
  });
  const port = await server.start();
  cleanup.defer(() => server.stop(100));
  return { server, port, log };
}

/** One large request and its answer: "served", or "closed" when none came. */
async function ask(port: number, tls: ClientTls | undefined): Promise<"served" | "closed"> {
  const client = createRemotingClient({
    logger: silentLogger,
    tls: tls === undefined ? undefined : () => tls,
  });
  try {
    const body = Buffer.alloc(200_000, 7);
    const answer = await client.invoke(`127.0.0.1:${port}`, { code: ECHO, body }, 3_000);
    return answer.body?.equals(body) === true ? "served" : "closed";
  } catch {
    return "closed";
  } finally {
    client.close();
  }
}

/** Sends bytes; resolves when the server has closed the connection. */
function garbage(port: number, bytes: Buffer): Promise<"closed"> {
  return new Promise((resolve) => {
    const socket = connectPlain({ host: "127.0.0.1", port }, () => socket.write(bytes));
    socket.on("error", () => undefined);
    socket.on("data", () => undefined);
    socket.on("close", () => resolve("closed"));
  });
}

const GARBAGE = Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
/** A TLS record header and then nonsense. */
const BROKEN_HELLO = Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05, 1, 2, 3, 4, 5]);

describe("TLS modes", () => {
  it.each([
    ["disabled", "served", "closed", "closed"],
    ["permissive", "served", "served", "served"],
    ["enforcing", "closed", "served", "served"],
  ] as const)("%s: plain is %s, TLS %s, with a certificate %s", async (mode, plain, tls, mtls) => {
    const { port, server } = await start(mode);
    expect(await ask(port, undefined)).toBe(plain);
    expect(await ask(port, trusting)).toBe(tls);
    expect(await ask(port, mutual)).toBe(mtls);
    expect(await garbage(port, GARBAGE)).toBe("closed");
    expect(await garbage(port, BROKEN_HELLO)).toBe("closed");
    await expect.poll(() => server.connectionCount).toBe(0);
    // It serves on.
    expect(await ask(port, undefined)).toBe(plain);
  });

  it.each([
    ["none", "served", "served", "served"],
    ["optional", "served", "served", "closed"],
    ["require", "closed", "served", "closed"],
  ])(
    "need.client.auth=%s: without a certificate %s, with a good one %s, with a stranger's %s",
    async (need, without, good, bad) => {
      const lines = `tls.server.need.client.auth=${need}\ntls.server.trustCertPath=${home}/ca.pem\n`;
      const { port } = await start("enforcing", lines);
      expect(await ask(port, trusting)).toBe(without);
      expect(await ask(port, mutual)).toBe(good);
      expect(await ask(port, stranger)).toBe(bad);
    },
  );

  it("a client does not talk to a server whose certificate it cannot trace", async () => {
    const { port } = await start("permissive");
    expect(await ask(port, { authServer: true, trustCert: otherAuthority.cert })).toBe("closed");
    expect(await ask(port, { authServer: false })).toBe("served");
  });

  it("a permissive server reads a plain request that comes byte by byte, and many in one piece", async () => {
    const { port } = await start("permissive");
    const client = createRemotingClient({ logger: silentLogger });
    cleanup.defer(() => client.close());
    const asks = Array.from({ length: 50 }, (_, i) =>
      client.invoke(`127.0.0.1:${port}`, { code: ECHO, body: Buffer.from(`${i}`) }, 3_000),
    );
    expect((await Promise.all(asks)).map(({ body }) => Number(body))).toEqual(
      asks.map((_, i) => i),
    );
    const socket = connectPlain({ host: "127.0.0.1", port, noDelay: true });
    cleanup.defer(() => void socket.destroy());
    const header = Buffer.from(`{"code":${ECHO},"flag":0,"opaque":7,"version":393}`);
    const prefix = Buffer.alloc(8);
    prefix.writeInt32BE(header.length + 4, 0);
    prefix.writeInt32BE(header.length, 4);
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
    for (const byte of Buffer.concat([prefix, header])) {
      socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    await expect.poll(() => answer).toContain('"opaque":7');
  });

  it.each(["permissive", "enforcing"] as const)(
    "%s: connections that failed free their places (F-22)",
    async (mode) => {
      const { port } = await start(mode, "", 2);
      for (let i = 0; i < 6; i += 1) {
        await garbage(port, BROKEN_HELLO);
        await garbage(port, GARBAGE);
        await ask(port, { authServer: true, trustCert: otherAuthority.cert });
      }
      await expect.poll(() => ask(port, trusting)).toBe("served");
    },
  );

  it("a changed certificate is used for the next connection, a bad one is not", async () => {
    const { port, log } = await start("enforcing");
    const subject = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
          const { subject: name }: Partial<PeerCertificate> = socket.getPeerCertificate();
          socket.destroy();
          resolve(String(name?.CN));
        });
        socket.on("error", reject);
      });
    expect(await subject()).toBe("broker");
    const next = makeCertificate({ commonName: "broker renewed", issuer: authority });
    // The certificate alone does not fit the key: nothing changes until both are there.
    writeFileSync(join(home, "server.pem"), next.cert);
    await expect.poll(() => log.join(""), { timeout: 5_000 }).toContain("the old ones stay in use");
    expect(await subject()).toBe("broker");
    writeFileSync(join(home, "server.key"), next.key);
    await expect.poll(subject, { timeout: 5_000 }).toBe("broker renewed");
  });

  it("stops at once although connections are half open", async () => {
    const { port, server } = await start("permissive");
    const socket = connectPlain({ host: "127.0.0.1", port });
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => undefined);
    await new Promise(setImmediate);
    await server.stop(1_000);
    await closed;
    expect(server.connectionCount).toBe(0);
  });
});

describe("tls.properties", () => {
  const settings = (mode: TlsChoice["mode"], lines: string, isLoopback = true) => {
    const file = join(home, "own.properties");
    writeFileSync(file, lines);
    return readTlsSettings(nodeVfs, { ...choice(mode, file), isLoopback });
  };

  it("auto is disabled without a certificate and enforcing with one, outgoing connections likewise", () => {
    expect(settings("auto", "")).toMatchObject({ mode: "disabled", isClientOn: false });
    const lines = "tls.server.certPath=a\ntls.server.keyPath=b\n";
    expect(settings("auto", lines)).toMatchObject({ mode: "enforcing", isClientOn: true });
    expect(settings("permissive", lines)).toMatchObject({ mode: "permissive", isClientOn: false });
    expect(readTlsSettings(nodeVfs, choice("auto", join(home, "none"))).mode).toBe("disabled");
  });

  it("checks servers' certificates unless told otherwise", () => {
    expect(settings("auto", "").authServer).toBe(true);
    expect(settings("auto", "tls.client.authServer=false\n").authServer).toBe(false);
  });

  it.each([
    ["enforcing", "", /without tls\.server\.certPath/],
    ["permissive", "tls.server.certPath=a\n", /without tls\.server\.certPath and/],
    ["auto", "tls.server.certPth=a\n", /own\.properties:1: there is no key tls\.server\.certPth/],
    ["auto", "tls.client.authServer=yes\n", /neither true nor false/],
    ["auto", "tls.server.need.client.auth=always\n", /none of none, optional, require/],
    [
      "auto",
      "tls.server.certPath=a\ntls.server.keyPath=b\ntls.server.need.client.auth=require\n",
      /without tls\.server\.trustCertPath/,
    ],
  ] as const)("%s with %j is refused", (mode, lines, message) => {
    expect(() => settings(mode, lines)).toThrow(message);
  });

  it("the test mode is for loopback only, and makes its own certificate", async () => {
    const lines = "tls.test.mode.enable=true\n";
    expect(() => settings("auto", lines, false)).toThrow(/others can reach/);
    const made = settings("auto", lines);
    expect(made).toMatchObject({ mode: "enforcing", isTest: true, authServer: false });
    const tls = openTls(nodeVfs, made, silentLogger);
    cleanup.defer(() => tls?.close());
    expect(tls?.server?.options.cert).toContain("BEGIN CERTIFICATE");
  });

  it("a missing file, a wrong password and a key of another certificate are errors, not surprises", () => {
    const open = (lines: string) =>
      openTls(nodeVfs, readTlsSettings(nodeVfs, choice("auto", tlsFile(lines))), silentLogger);
    expect(() => open("tls.server.trustCertPath=/nowhere.pem\n")).toThrow(/no such file/);
    writeFileSync(join(home, "server.key"), clientPair.key);
    expect(() => open("")).toThrow(/the server's certificate cannot be used/);
  });
});
