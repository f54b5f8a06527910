/** The one image all nodes run, built when its content changed and not otherwise. */
import type Docker from "dockerode";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { chooseBase } from "./base-image.ts";
import { DOCKERFILE, readBuildContext, type BuildContext } from "./build-context.ts";
import { dockerError } from "./docker-error.ts";
import { finished } from "./engine-output.ts";

/** Where the images of our own programs are. */
export const ENGINE_REPOSITORY = "rocketmq-lab/engine";
/** Also given to the newest build, for compose files used by hand. */
const LOCAL_TAG = "local";

/** What image building tells while it works. */
export type Say = (message: string) => void;

/**
 * @param root folder of the installation
 * @returns name of the image that belongs to the programs as they are built now
 * @throws EngineError LAB_NOT_BUILT
 */
export function imageName(root: string): string {
  return `${ENGINE_REPOSITORY}:${readBuildContext(root).hash}`;
}

async function isBuilt(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw dockerError(error, `looking for image ${name}`);
  }
}

async function build(docker: Docker, context: BuildContext, say: Say): Promise<void> {
  const base = await chooseBase(docker, say);
  say(`building the image on ${base.name} (${base.origin})`);
  const stream = await docker.buildImage(context.stream(), {
    t: `${ENGINE_REPOSITORY}:${context.hash}`,
    dockerfile: DOCKERFILE,
    buildargs: { BASE_IMAGE: base.name },
    labels: { "lab.image": "engine", "lab.base": base.name, "lab.base.origin": base.origin },
    networkmode: "none",
    rm: true,
    forcerm: true,
  });
  await finished(docker, stream);
}

/**
 * Makes sure that the image is there.
 * @param docker engine
 * @param root folder of the installation
 * @param say told what happens; nothing when the image is there already
 * @returns its name; the tag is a hash of everything in it but the base
 * @throws EngineError LAB_NOT_BUILT | DOCKER_IMAGE_FAILED
 */
export async function ensureImage(docker: Docker, root: string, say: Say): Promise<string> {
  const context = readBuildContext(root);
  const name = `${ENGINE_REPOSITORY}:${context.hash}`;
  if (await isBuilt(docker, name)) return name;
  try {
    await build(docker, context, say);
    await docker.getImage(name).tag({ repo: ENGINE_REPOSITORY, tag: LOCAL_TAG });
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError("DOCKER_IMAGE_FAILED", {
      message: dockerError(error, `building image ${name}`).message,
      hint: "`docker info` shows whether the engine is well; `docker system df` whether its disk is full",
      cause: error,
    });
  }
  return name;
}
