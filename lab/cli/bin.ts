import { EXIT } from "./exit-codes.ts";
import { processIo } from "./io.ts";
import { main } from "./main.ts";

// Node ends a program that waits for nothing with 13, which means something else here, and without a word.
process.exitCode = EXIT.bug;
const silence = (): void =>
  void process.stderr.write("error UNEXPECTED: the command ended without a result: a bug\n");
process.once("exit", silence);
const exitCode = await main(process.argv.slice(2), processIo());
process.off("exit", silence);
process.exitCode = exitCode;
