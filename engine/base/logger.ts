/** Severity of a log line, least to most severe. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Values a log line may carry besides its text. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Structured logging: one line per event, text first, fields after. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** @param name part of the program, printed with every line of the child */
  child(name: string): Logger;
}

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Where finished lines go. */
export type LineSink = (line: string) => void;

/**
 * Control characters from peers are escaped, so that a peer can forge no line (faults-and-security F-35).
 * @param text anything
 * @returns the text with C0 controls, DEL and line separators as \uXXXX
 */
export function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function renderFields(fields: LogFields | undefined): string {
  if (fields === undefined) return "";
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${escapeControls(String(value))}`)
    .join("");
}

/**
 * @param name part of the program, printed with every line
 * @param level lines below it are dropped
 * @param sink where lines go; stdout by default
 * @returns a logger
 */
export function createLogger(
  name: string,
  level: LogLevel = "info",
  sink: LineSink = (line) => process.stdout.write(line),
): Logger {
  const write = (at: LogLevel, message: string, fields?: LogFields): void => {
    if (SEVERITY[at] < SEVERITY[level]) return;
    sink(
      `${new Date().toISOString()} ${at.toUpperCase().padEnd(5)} ${name} ${escapeControls(message)}${renderFields(fields)}\n`,
    );
  };
  return {
    debug: (message, fields) => write("debug", message, fields),
    info: (message, fields) => write("info", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    error: (message, fields) => write("error", message, fields),
    child: (part) => createLogger(`${name}.${part}`, level, sink),
  };
}

/** Drops everything; for tests and libraries whose caller gave no logger. */
export const silentLogger: Logger = createLogger("silent", "error", () => undefined);
