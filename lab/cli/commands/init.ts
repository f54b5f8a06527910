import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { initTopology } from "../../topology/init.ts";
import { loadTopology } from "../../topology/presets.ts";
import { defineCommand } from "../define-command.ts";
import { textOption } from "../options.ts";

export const initCommand = defineCommand({
  name: "init",
  summary: "make a topology of your own from a preset",
  description:
    "Copies topology.yaml and the property files, each with its comments, into a new folder. Edit them, look at the result with `lab show DIR`, bring it up with `lab up DIR`. The files stay plain: Apache's mqbroker -c reads them too. Two real servers instead of two networks: write each host as `{ name: host-1, engine: ssh://you@server, address: 203.0.113.7 }`. engine is a Docker Engine (unix:///PATH, tcp://HOST:PORT, or ssh://[USER@]HOST[:PORT][/PATH of its socket], with keys that ask no question), address the IPv4 address at which this machine and the other server reach it (bind: the server's own address, where that differs). Each host's nodes run on its engine and publish the ports of their property files there.",
  examples: [
    { command: "lab init ./my-cluster --from 2m-2s-async", what: "start from a preset" },
    { command: "lab init ./other --from ./my-cluster", what: "start from one of your own" },
  ],
  args: [{ name: "DIR", help: "folder to make", required: true }],
  options: {
    from: textOption("--from <preset>", "preset or folder to copy; default 2m-2s-sync"),
  },
  run(context, { args, options }) {
    const { topology: source } = loadTopology(options.from ?? "2m-2s-sync", context.io.cwd);
    const typed = args[0] ?? "";
    const topology = initTopology(source, resolve(context.io.cwd, typed));
    const files = readdirSync(topology.dir).toSorted();
    const folder = /[/\\]/.test(typed) ? typed : `./${typed}`;
    return Promise.resolve({
      schema: "lab.init/1",
      data: { dir: topology.dir, from: source.name, name: topology.name, files },
      text: [
        `${topology.dir} is a copy of ${source.name}:`,
        ...files.map((file) => `  ${file}`),
        "",
        `${context.color.cyan("next")}  edit it, then lab show ${folder}, then lab up ${folder}`,
      ].join("\n"),
    });
  },
});
