/**
 * What a client sees from inside a container: `node /app/probe.mjs HOST:PORT;HOST:PORT`. Prints one JSON document; `lab doctor addresses`
 * runs it on every host.
 */
import { probeAddresses } from "../lab/runtime/doctor/probe-addresses.ts";

const addresses = (process.argv[2] ?? "").split(";").filter((address) => address !== "");
process.stdout.write(`${JSON.stringify(await probeAddresses(addresses))}\n`);
