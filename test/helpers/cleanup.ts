/** What a test or bench has to undo, last first; Node 20 has no AsyncDisposableStack yet. */
export class Cleanup implements AsyncDisposable {
  private readonly steps: (() => void | Promise<void>)[] = [];

  /** Disposes `resource` at the end. @returns the resource */
  use<Resource extends AsyncDisposable>(resource: Resource): Resource {
    this.defer(async () => resource[Symbol.asyncDispose]());
    return resource;
  }

  /** Runs `step` at the end. */
  defer(step: () => void | Promise<void>): void {
    this.steps.push(step);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    let firstError: unknown;
    for (const step of this.steps.toReversed()) {
      try {
        await step();
      } catch (error) {
        firstError ??= error;
      }
    }
    this.steps.length = 0;
    if (firstError !== undefined) throw firstError;
  }
}
