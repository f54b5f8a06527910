/** Figures as people read them (dashboard.md 4.6): binary sizes, at most three significant digits for measures. */

/** @param bytes a size @returns `1.2 MiB` */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? String(Math.round(value)) : value.toPrecision(3)} ${units[power] ?? "B"}`;
}

/** @param perSecond messages a second @returns `4,812/s` */
export function formatRate(perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString("en-US")}/s`;
}

/** @param seconds a duration @returns `0.4 s`, `2 m 05 s` */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} m ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
}

/** @param at wall clock ms @returns local time with tenths */
export function formatTime(at: number): string {
  const time = new Date(at);
  return `${time.toLocaleTimeString("en-GB")}.${Math.floor(time.getMilliseconds() / 100)}`;
}
