/**
 * Health check of a container: `node /app/health.mjs namesrv|broker|dashboard PORT`. A full round trip of the node's own protocol over the
 * container's loopback; an open port proves nothing (docker-lab 1.8), and no name is resolved. Exit 0 healthy, 1 not, 2 wrong call.
 */
import { silentLogger } from "../engine/base/logger.ts";
import { createRemotingClient } from "../engine/remoting/client.ts";
import { REQUEST_CODE } from "../engine/remoting/request-codes.ts";
import { RESPONSE_CODE } from "../engine/remoting/response-codes.ts";
import { httpStatus } from "../lab/base/http-status.ts";

const TIMEOUT_MS = 2_000;
const HTTP_OK = 200;
const UNHEALTHY = 1;
const WRONG_CALL = 2;

async function remoting(port: number, code: number): Promise<void> {
  const client = createRemotingClient({ logger: silentLogger, connectTimeoutMs: TIMEOUT_MS });
  try {
    const response = await client.invoke(`127.0.0.1:${port}`, { code }, TIMEOUT_MS);
    if (response.code === RESPONSE_CODE.SUCCESS) return;
    throw new Error(`request ${code} was answered with code ${response.code}`);
  } finally {
    client.close();
  }
}

async function page(port: number): Promise<void> {
  const status = await httpStatus(`http://127.0.0.1:${port}/`, TIMEOUT_MS);
  if (status !== HTTP_OK) throw new Error(`the page was answered with status ${status}`);
}

const CHECKS: Readonly<Record<string, (port: number) => Promise<void>>> = {
  namesrv: (port) => remoting(port, REQUEST_CODE.GET_BROKER_CLUSTER_INFO),
  broker: (port) => remoting(port, REQUEST_CODE.GET_BROKER_RUNTIME_INFO),
  dashboard: page,
};

const [kind = "", port = ""] = process.argv.slice(2);
const check = CHECKS[kind];
if (check === undefined || !/^\d+$/.test(port)) {
  process.stderr.write("usage: health.mjs namesrv|broker|dashboard PORT\n");
  process.exitCode = WRONG_CALL;
} else {
  try {
    await check(Number(port));
  } catch (error) {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = UNHEALTHY;
  }
}
