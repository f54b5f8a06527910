/** A real disk whose syncs and writes can be made to fail: the store must then never say that something is safe (S-03). */
import { nodeVfs } from "../../engine/base/node-vfs.ts";
import type { Vfs, VfsFile } from "../../engine/base/vfs.ts";

/** Faults, switched on while the store runs. Only files of the commit log are hit. */
export interface DiskFaults {
  failSync: boolean;
  failWrite: boolean;
  /** Holds every sync back until it is called. */
  holdSync: boolean;
  syncs: number;
  releaseSyncs(): void;
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** @returns a Vfs over the real one, and the switches */
export function faultyVfs(): { readonly vfs: Vfs; readonly faults: DiskFaults } {
  const held: (() => void)[] = [];
  const faults: DiskFaults = {
    failSync: false,
    failWrite: false,
    holdSync: false,
    syncs: 0,
    releaseSyncs: () => {
      for (const go of held.splice(0)) go();
    },
  };
  const wrap = (file: VfsFile): VfsFile => {
    if (!file.path.includes("commitlog")) return file;
    return {
      path: file.path,
      read: (buffer, start, length, position) => file.read(buffer, start, length, position),
      readAsync: (buffer, start, length, position) =>
        file.readAsync(buffer, start, length, position),
      write: (buffer, start, length, position) => {
        if (faults.failWrite) throw systemError("EIO");
        file.write(buffer, start, length, position);
      },
      datasync: async () => {
        faults.syncs += 1;
        if (faults.holdSync) await new Promise<void>((resolve) => held.push(resolve));
        if (faults.failSync) throw systemError("EIO");
        await file.datasync();
      },
      datasyncSync: () => file.datasyncSync(),
      truncate: (size) => file.truncate(size),
      size: () => file.size(),
      close: () => file.close(),
    };
  };
  return { vfs: { ...nodeVfs, open: (path, mode) => wrap(nodeVfs.open(path, mode)) }, faults };
}
