/** The compose files of the repository, as they must be. */
import { renderCompose } from "../../../../lab/compose/render.ts";
import { planSubnets } from "../../../../lab/compose/subnets.ts";
import { publishPorts } from "../../../../lab/topology/ports.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";

/** @returns text of `compose/PRESET.yaml`; with `diskOf` that of a lab with disks of its own */
export function presetComposeFile(preset: string, diskOf?: (node: string) => string): string {
  const { topology } = loadTopology(preset, "/");
  return renderCompose({
    labName: "lab",
    topology: publishPorts(topology, 0, "docker"),
    subnets: planSubnets(0),
    image: "${ROCKETMQ_LAB_IMAGE:-rocketmq-lab/engine:local}",
    confSource: `../conf/${preset}`,
    stateDir: undefined,
    cpusMax: Number.POSITIVE_INFINITY,
    ...(diskOf === undefined ? {} : { diskOf }),
    heading: [
      `${topology.description}.`,
      `Made from conf/${preset}/topology.yaml; a test keeps it so. README.md beside it says how to use it without the lab:`,
      `  docker compose -p lab -f compose/${preset}.yaml up -d     (or docker-compose 1.29)`,
    ],
  });
}
