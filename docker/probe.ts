/**
 * What a client sees from inside a container. `node /app/probe.mjs HOST:PORT;HOST:PORT` asks these name servers and tries what they tell,
 * `node /app/probe.mjs --ports JSON` tries single ports. Prints one JSON document; `lab doctor addresses` and `lab doctor ports` run it on every host.
 */
import { z } from "zod";
import { probeAddresses } from "../lab/runtime/doctor/probe-addresses.ts";
import { portTargetSchema, probePorts } from "../lab/runtime/doctor/probe-ports.ts";

const [first = "", json = "[]"] = process.argv.slice(2);
const answer =
  first === "--ports"
    ? await probePorts(z.array(portTargetSchema).parse(JSON.parse(json)))
    : await probeAddresses(first.split(";").filter((address) => address !== ""));
process.stdout.write(`${JSON.stringify(answer)}\n`);
