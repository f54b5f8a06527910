/**
 * One HTTP question, for its status alone. Not `fetch`: Node 20's leaves the process without anything to wait for when a peer accepts a connection and closes it
 * at once, as the proxy of a published port does while the container is still starting; a command then ended with exit 13 and no word.
 */
import { get } from "node:http";

/**
 * @param url http only
 * @param timeoutMs until the whole answer is there
 * @returns its status
 * @throws Error when no answer comes
 */
export function httpStatus(url: string, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      response.once("error", fail);
      response.once("end", () => {
        clearTimeout(timer);
        resolve(response.statusCode ?? 0);
      });
      response.resume();
    });
    const fail = (error: Error): void => {
      clearTimeout(timer);
      request.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    request.once("error", fail);
  });
}
