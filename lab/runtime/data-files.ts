/** What lies in the root of a node's data folder besides its data. */
import { CLOCK_FILES } from "./clock-files.ts";

/** Takes the room on a disk that is to be full. */
export const BALLAST = "ballast";

/** Never copied, exchanged or emptied with the data of a node in Docker; ext4 keeps a folder of its own, which belongs to root. */
export const BESIDE_DATA: readonly string[] = [...CLOCK_FILES, BALLAST, "lost+found"];
