/** The property files on a server: its engine cannot mount a folder of this machine, so they are packed into a volume of the lab's. */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import { CONF_DIR } from "../../compose/node-environment.ts";
import { confVolumeName } from "../../compose/render.ts";
import { LABEL } from "../../compose/service.ts";
import type { LabAllocation } from "../runtime.ts";
import { dockerError } from "./docker-error.ts";
import { confFolder } from "./lab-files.ts";

const FILE_MODE = 0o644;

async function archive(folder: string): Promise<Buffer> {
  const tar = pack();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (statSync(path).isFile()) tar.entry({ name, mode: FILE_MODE }, readFileSync(path));
  }
  tar.finalize();
  return buffer(Readable.from(tar));
}

/**
 * Brings the volume up to date; nodes read it when they start.
 * @param docker engine of the server
 * @param allocation of the lab; its property files are copied already
 * @param image any that is there: a container of it holds the volume and never runs
 */
export async function fillConfVolume(
  docker: Docker,
  allocation: LabAllocation,
  image: string,
): Promise<void> {
  const Labels = { [LABEL.lab]: allocation.name, [LABEL.state]: allocation.stateDir };
  const Name = confVolumeName(allocation.name);
  try {
    await docker.createVolume({ Name, Labels });
    const holder = await docker.createContainer({
      Image: image,
      Labels,
      HostConfig: { NetworkMode: "none", Binds: [`${Name}:${CONF_DIR}`] },
    });
    try {
      await holder.putArchive(await archive(confFolder(allocation.stateDir)), { path: CONF_DIR });
    } finally {
      await holder.remove({ force: true });
    }
  } catch (error) {
    throw dockerError(error, `bringing the property files to volume ${Name}`);
  }
}
