import { describe, expect, it } from "vitest";
import { palette, table } from "../../../../lab/cli/output.ts";

const HEADER = ["NODE", "ROLE", "WHAT"];
const ROWS = [
  ["broker-a-master", "master of broker-a", "does not answer (no connection to 127.0.0.1:10911)"],
  ["namesrv-1", "name server", "ok"],
];

describe("a table", () => {
  it("has all the room it needs in a pipe", () => {
    expect(table(HEADER, ROWS).split("\n")).toEqual([
      "NODE             ROLE                WHAT",
      "broker-a-master  master of broker-a  does not answer (no connection to 127.0.0.1:10911)",
      "namesrv-1        name server         ok",
    ]);
  });

  it.each([120, 80, 72, 60])(
    "in %i columns no line is longer, and nothing of the last column is lost",
    (columns) => {
      const text = table(HEADER, ROWS, { columns, drop: ["ROLE"] });
      for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
      expect(text.replaceAll(/\s+/g, " ")).toContain(
        "does not answer (no connection to 127.0.0.1:10911)",
      );
    },
  );

  it("leaves columns out only as long as the rest does not fit", () => {
    const titles = (columns: number): string | undefined =>
      table(HEADER, ROWS, { columns, drop: ["ROLE", "NODE"] }).split("\n")[0];
    expect(titles(61)).toMatch(/NODE +ROLE +WHAT/);
    expect(titles(60)).toMatch(/NODE +WHAT/);
    expect(titles(40)).toBe("WHAT");
  });

  it("measures what is seen, not the colour codes", () => {
    const { red } = palette(true);
    const plain = table(HEADER, ROWS, { columns: 70 });
    const coloured = table(
      HEADER,
      ROWS.map((row) => row.map((cell) => red(cell))),
      { columns: 70 },
    );
    // oxlint-disable-next-line no-control-regex -- colour codes begin with the escape character
    expect(coloured.replaceAll(/\u001b\[\d+m/g, "")).toBe(plain);
  });
});
