/** Shows progress on standard error: at a terminal one line that is overwritten, else a line from time to time. */
export class Progress {
  readonly #textOf: (done: number) => string;
  readonly #everyMilliseconds: number;
  /** Undefined until the work has begun: what comes before it is no progress. */
  #shownAt: number | undefined;

  constructor(textOf: (done: number) => string) {
    this.#textOf = textOf;
    this.#everyMilliseconds = process.stderr.isTTY ? 100 : 10_000;
  }

  update(done: number): void {
    this.#shownAt ??= performance.now();
    if (performance.now() - this.#shownAt < this.#everyMilliseconds) return;
    this.#shownAt = performance.now();
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${this.#textOf(done)}` : `${this.#textOf(done)}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}

/** `[=====     ] 50 %`; empty if the total is not known. */
export function bar(done: number, whole: number | undefined): string {
  if (!whole) return '';
  const share = Math.min(1, done / whole);
  const filled = Math.round(share * 30);
  return `[${'='.repeat(filled)}${' '.repeat(30 - filled)}] ${Math.floor(share * 100)} % `;
}
