/** Which image a lab's image is built on: the pulled one where a registry answers, else one made from this machine's Node. */
import type Docker from "dockerode";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { reasonOf } from "./docker-error.ts";
import { finished } from "./engine-output.ts";
import { offlineBase, type BaseImage } from "./offline-base.ts";

/** The newest long-term-support Node on a small Debian. */
const PULLED_BASE = "node:22-bookworm-slim";
/** A registry that has not delivered by then is treated as absent; the image is about 75 MB. */
const PULL_MS = 120_000;

async function isThere(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).inspect();
    return true;
  } catch {
    return false;
  }
}

/** @returns null when the image is there now, else why not */
async function pull(docker: Docker, name: string): Promise<string | null> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PULL_MS);
  try {
    const stream = await docker.pull(name, { abortSignal: abort.signal });
    await finished(docker, stream as NodeJS.ReadableStream);
    return null;
  } catch (error) {
    return abort.signal.aborted ? `not there after ${PULL_MS / 1_000} s` : reasonOf(error);
  } finally {
    clearTimeout(timer);
  }
}

function short(reason: string): string {
  return reason.split("\n")[0]?.slice(0, 160) ?? "";
}

/**
 * @param docker engine
 * @param say told what happens
 * @returns the base: `$LAB_BASE_IMAGE` when set; the official image when it is here or can be pulled; else one from this machine's Node
 * @throws EngineError DOCKER_IMAGE_FAILED
 */
export async function chooseBase(
  docker: Docker,
  say: (message: string) => void,
): Promise<BaseImage> {
  const wanted = process.env["LAB_BASE_IMAGE"];
  const name = wanted === undefined || wanted === "" ? PULLED_BASE : wanted;
  if (await isThere(docker, name)) return { name, origin: "found on the engine" };
  say(`pulling ${name}`);
  const failure = await pull(docker, name);
  if (failure === null) return { name, origin: "pulled" };
  if (name === wanted) {
    throw new EngineError("DOCKER_IMAGE_FAILED", {
      message: `LAB_BASE_IMAGE is ${name}, which is not there and cannot be pulled: ${short(failure)}`,
      hint: "unset LAB_BASE_IMAGE, or load that image into the engine",
    });
  }
  say(`no registry (${short(failure)}): making a base image from this machine's Node`);
  return offlineBase(docker);
}
