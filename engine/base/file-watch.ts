import type { Vfs } from "./vfs.ts";

/** As 4.9: files are looked at twice a second. */
const PERIOD_MS = 500;

/** Notices that one of a few files changed: another size, time or permission, appeared or gone. */
export class FileWatch {
  private readonly vfs: Vfs;
  private readonly paths: readonly string[];
  private readonly timer: NodeJS.Timeout;
  private seen: string;

  /** @param onChange called once a change, with all files as they are then; its errors are its own business */
  constructor(vfs: Vfs, paths: readonly string[], onChange: () => void) {
    this.vfs = vfs;
    this.paths = paths;
    this.seen = this.fingerprint();
    this.timer = setInterval(() => {
      const now = this.fingerprint();
      if (now === this.seen) return;
      this.seen = now;
      onChange();
    }, PERIOD_MS);
    this.timer.unref();
  }

  /** What stands there now is known: we wrote it ourselves. */
  acknowledge(): void {
    this.seen = this.fingerprint();
  }

  close(): void {
    clearInterval(this.timer);
  }

  private fingerprint(): string {
    const parts = this.paths.map((path) => {
      const stat = this.vfs.stat(path);
      return stat === null ? "missing" : `${stat.size} ${stat.mtimeMs} ${stat.mode}`;
    });
    return parts.join(";");
  }
}
