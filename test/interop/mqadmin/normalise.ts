/** What two runs of one command can never have in common is replaced by a word that says what it was. */

/** What only one side has: addresses and folders. */
export interface SideNames {
  readonly namesrv: string;
  readonly master: string;
  readonly slave: string;
  readonly home: string;
}

const REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  [/\b\d{4}-\d\d-\d\d[ #]\d\d:\d\d:\d\d([:,.]\d{1,3})?/g, "<time>"],
  [/\b[0-9A-F]{32}(?=SendResult|\b)/g, "<id>"],
  [/\b20\d{12}(\d{3})?\b/g, "<time>"],
  [/(?<![.\d])1[0-9]{12}\b/g, "<ms>"],
  [/(spentTimeMills=)\d+/g, "$1<ms>"],
  [/\b\d+(\.\d+)?ms\b/g, "<ms>"],
  [/127\.0\.0\.1:\d+/g, "<client>"],
  [/\b(\d{1,3}\.){3}\d{1,3}:\d+/g, "<client>"],
  [/@\d+#\d+/g, "@<instance>"],
  [/Lambda\S*@[0-9a-f]+/g, "<lambda>"],
  [/(\.[A-Z]\w*(\$\w+)?)@[0-9a-f]{5,8}\b/g, "$1@<object>"],
  [/-?\b\d+\.\d+(E-?\d+)?\b/g, "<rate>"],
  [/(physicOffset=|commitLogOffset=|CommitLog Offset: +)\d+/g, "$1<offset>"],
  [/(subVersion"?[:=])\d+/g, "$1<ms>"],
  [/ {2,}/g, " "],
  [/[ \t]+$/gm, ""],
];

/** Frames of a stack and the log library's own remarks say nothing of the cluster. */
const NOISE = /^\s*at \S+\(|^\s*\.\.\. \d+ more|^(RocketMQLog|SLF4J|log4j):/;

/** @returns the lines of what a command printed, comparable to those of the other side */
export function normalise(side: SideNames, output: string): string[] {
  let text = output;
  const own = [
    [side.namesrv, "<namesrv>"],
    [side.master, "<master>"],
    [side.slave, "<slave>"],
    [side.home, "<home>"],
  ] as const;
  for (const [address, word] of own) text = text.replaceAll(address, word);
  for (const [pattern, word] of REPLACEMENTS) text = text.replace(pattern, word);
  return text.split(/\r?\n/).filter((line) => line !== "" && !NOISE.test(line));
}
